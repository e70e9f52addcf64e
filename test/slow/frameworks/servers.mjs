/**
 * One server per framework with nibble's endpoints below /ai, and a route of its own, as docs and README show it. Each
 * function starts its server and returns it with its port.
 */
import { createServer } from "node:http";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";

const listening = (server) => new Promise((resolve) => server.once("listening", () => resolve(server)));

export const frameworks = {
  "node:http": ({ createHandler, toNodeListener, model }) => {
    const ai = toNodeListener(createHandler(model, { basePath: "/ai" }));
    const server = createServer((request, response) =>
      request.url.startsWith("/ai/") ? ai(request, response) : response.end("mine"),
    );
    return listening(server.listen(0, "127.0.0.1"));
  },
  express: ({ createHandler, toNodeListener, model }) => {
    const app = express();
    app.use("/ai", toNodeListener(createHandler(model)));
    app.get("/mine", (_, response) => response.send("mine"));
    return listening(app.listen(0, "127.0.0.1"));
  },
  "express with its parser of bodies": ({ createHandler, toNodeListener, model }) => {
    const app = express();
    app.use(express.json());
    app.use("/ai", toNodeListener(createHandler(model)));
    app.get("/mine", (_, response) => response.send("mine"));
    return listening(app.listen(0, "127.0.0.1"));
  },
  fastify: async ({ createHandler, toNodeListener, model }) => {
    const app = fastify();
    app.register(async (scope) => {
      const ai = toNodeListener(createHandler(model, { basePath: "/ai" }));
      // The handler reads the body itself.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, _body, done) => done(null));
      scope.all("/ai/*", (request, reply) => {
        reply.hijack();
        ai(request.raw, reply.raw);
      });
    });
    app.get("/mine", async () => "mine");
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  },
  hono: ({ createHandler, model }) => {
    const app = new Hono();
    const ai = createHandler(model, { basePath: "/ai" });
    app.all("/ai/*", (c) => ai(c.req.raw));
    app.get("/mine", (c) => c.text("mine"));
    return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
  },
};
