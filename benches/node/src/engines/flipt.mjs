/** Flipt at its best: a snapshot in memory, no refresh, and one batch with reused requests. */

import { readFileSync } from 'node:fs';

import { FliptClient } from '@flipt-io/flipt-client-js/slim';

// The slim entry starts fastest. The full entry holds its engine as base64.
const wasm = readFileSync(
  new URL('../../node_modules/@flipt-io/flipt-client-js/dist/flipt_engine_wasm_js_bg.wasm', import.meta.url),
);
// The package logs a warning about its own start of the engine.
console.warn = () => {};

/** @param {string} text */
export async function load(text) {
  const response = { ok: true, status: 200, statusText: 'OK', headers: { get: () => null } };
  const fetcher = async () => ({ ...response, json: async () => JSON.parse(text) });
  const client = await FliptClient.init({ updateInterval: 0, fetcher }, { wasm });
  /** @type {{ flagKey: string, entityId: string, context: Record<string, string> }[]} */
  let requests = [];
  return {
    /** @param {import('../workload.mjs').Tenant} tenant */
    subject: ({ id, slug, plan }) => ({ entityId: id, context: { slug, plan } }),
    isEnabled: (flagKey, { entityId, context }) => client.evaluateBoolean({ flagKey, entityId, context }).enabled,
    all({ entityId, context }, keys, answers) {
      if (requests.length !== keys.length) requests = keys.map((flagKey) => ({ flagKey, entityId, context }));
      for (const request of requests) {
        request.entityId = entityId;
        request.context = context;
      }
      const { responses } = client.evaluateBatch(requests);
      for (let index = 0; index < keys.length; index++) {
        answers[index] = responses[index].booleanEvaluationResponse?.enabled ? 1 : 0;
      }
    },
  };
}
