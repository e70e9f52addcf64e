"""What bench/lm-eval.ts runs in Python: `lm-eval.py serve MODEL THREADS SLOTS CONTEXT` is llama.cpp's server, from the package
xllamacpp, until its input ends; `lm-eval.py evaluate` runs lm-eval for each line of its input, and prints seconds and answers."""

import json
import os
import sys
import time


def serve(model, threads, slots, context):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(threads)
    params.n_parallel = int(slots)
    params.n_ctx = int(slots) * int(context)
    params.verbosity = 0
    server = xllamacpp.Server(params)
    about = f"llama.cpp of xllamacpp {xllamacpp.__version__}; {xllamacpp.get_system_info().strip()}"
    print(json.dumps({"url": server.listening_address, "about": about}), flush=True)
    sys.stdin.read()
    os._exit(0)  # The server's threads would go on.


def evaluate():
    from lm_eval import simple_evaluate
    from lm_eval.models.openai_completions import LocalCompletionsAPI
    from lm_eval.tasks import TaskManager

    class Timed(LocalCompletionsAPI):
        """Times the requests alone, and neither Python's start nor the reading of data."""

        def generate_until(self, *args, **kwargs):
            start = time.perf_counter()
            answers = super().generate_until(*args, **kwargs)
            self.seconds = time.perf_counter() - start
            self.answers = answers
            return answers

    tasks = TaskManager(include_defaults=False)
    for line in sys.stdin:
        order = json.loads(line)
        model = Timed(
            model=order["model"],
            base_url=order["url"] + "/v1/completions",
            tokenizer_backend="none",
            num_concurrent=order["concurrent"],
            max_retries=1,
            eos_string="<|im_end|>",
        )
        simple_evaluate(
            model=model,
            tasks=[order["task"]],
            task_manager=tasks,
            gen_kwargs=f"max_gen_toks={order['tokens']}",
            bootstrap_iters=0,
        )
        print(json.dumps({"seconds": model.seconds, "answers": model.answers}), flush=True)


{"serve": serve, "evaluate": evaluate}[sys.argv[1]](*sys.argv[2:])
