/**
 * Python's `strftime`, in English on every host.
 * @module
 */
// biome-ignore format: a table
const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** A number, the width to which it is padded, and the character that pads it. */
type Field = readonly [value: number, width: number, pad: "0" | " "];
const zeros = (value: number, width = 2): Field => [value, width, "0"];
const blanks = (value: number): Field => [value, 2, " "];

/** Directives that write numbers. */
const NUMBERS: ReadonlyMap<string, (date: Date) => Field> = new Map<string, (date: Date) => Field>([
  ["C", (date) => zeros(Math.floor(date.getFullYear() / 100))],
  ["d", (date) => zeros(date.getDate())],
  ["e", (date) => blanks(date.getDate())],
  ["g", (date) => zeros(isoWeek(date).year % 100)],
  ["G", (date) => zeros(isoWeek(date).year, 4)],
  ["H", (date) => zeros(date.getHours())],
  ["I", (date) => zeros(date.getHours() % 12 || 12)],
  ["j", (date) => zeros(dayOfYear(date), 3)],
  ["k", (date) => blanks(date.getHours())],
  ["l", (date) => blanks(date.getHours() % 12 || 12)],
  ["m", (date) => zeros(date.getMonth() + 1)],
  ["M", (date) => zeros(date.getMinutes())],
  ["S", (date) => zeros(date.getSeconds())],
  ["s", (date) => zeros(Math.floor(date.getTime() / 1000), 0)],
  ["f", (date) => zeros(date.getMilliseconds() * 1000, 6)],
  ["u", (date) => zeros(date.getDay() || 7, 1)],
  ["U", (date) => zeros(Math.floor((dayOfYear(date) + 6 - date.getDay()) / 7))],
  ["V", (date) => zeros(isoWeek(date).week)],
  ["w", (date) => zeros(date.getDay(), 1)],
  ["W", (date) => zeros(Math.floor((dayOfYear(date) + 6 - ((date.getDay() + 6) % 7)) / 7))],
  ["y", (date) => zeros(date.getFullYear() % 100)],
  ["Y", (date) => zeros(date.getFullYear(), 4)],
]);

/** Directives that write text. */
const WORDS: ReadonlyMap<string, (date: Date) => string> = new Map<string, (date: Date) => string>([
  ["a", (date) => DAYS[date.getDay()]!.slice(0, 3)],
  ["A", (date) => DAYS[date.getDay()]!],
  ["b", (date) => MONTHS[date.getMonth()]!.slice(0, 3)],
  ["B", (date) => MONTHS[date.getMonth()]!],
  ["h", (date) => MONTHS[date.getMonth()]!.slice(0, 3)],
  ["n", () => "\n"],
  ["p", (date) => (date.getHours() < 12 ? "AM" : "PM")],
  ["P", (date) => (date.getHours() < 12 ? "am" : "pm")],
  ["t", () => "\t"],
  ["z", () => ""], // datetime.now() has no time zone, so Python writes nothing here
  ["Z", () => ""],
  ["%", () => "%"],
]);

/** Directives that are short for a longer format. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ["c", "%a %b %e %H:%M:%S %Y"],
  ["D", "%m/%d/%y"],
  ["F", "%Y-%m-%d"],
  ["r", "%I:%M:%S %p"],
  ["R", "%H:%M"],
  ["T", "%H:%M:%S"],
  ["x", "%m/%d/%y"],
  ["X", "%H:%M:%S"],
]);

/**
 * Local time, like `datetime.now().strftime(format)` on Linux: `%-d` omits padding, `%_d` pads with blanks, `%0e` with
 * zeros, `%^a` capitals. Unknown directives are copied.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%([-_0^]?)([A-Za-z%])/g, (whole, flag: string, letter: string) => {
    const number = NUMBERS.get(letter)?.(date);
    if (number) return padded(number, flag);
    const shorthand = FORMATS.get(letter);
    const text = shorthand === undefined ? WORDS.get(letter)?.(date) : strftime(date, shorthand);
    return text === undefined ? whole : flag === "^" ? text.toUpperCase() : text;
  });
}

function padded([value, width, pad]: Field, flag: string): string {
  if (flag === "-") return String(value);
  return String(value).padStart(width, flag === "_" ? " " : flag === "0" ? "0" : pad);
}

function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (day - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000 + 1;
}

/** The week of ISO 8601, which belongs to the year of its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}
