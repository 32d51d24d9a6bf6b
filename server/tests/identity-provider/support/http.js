// An HTTP request with its whole answer, without redirects and retries.

import http from 'node:http';
import https from 'node:https';

// The client closes idle connections long before the server does, so that no request meets a
// closing connection.
const AGENTS = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: 64, timeout: 5_000 }),
  'https:': new https.Agent(),
};

/** Sends a request with a JSON or a form body. */
export function request(url, { method = 'GET', headers = {}, json, form, ca } = {}) {
  const address = new URL(url);
  const body = json === undefined ? form?.toString() : JSON.stringify(json);
  const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  const sent = body === undefined ? headers : { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers };
  const library = address.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = library.request(address, { method, headers: sent, agent: AGENTS[address.protocol], ca }, (incoming) => {
      const chunks = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => resolve(answer(incoming, Buffer.concat(chunks).toString())));
    });
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error(`no answer from ${address} in time`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function answer({ statusCode, headers }, text) {
  const isJson = /json/.test(headers['content-type'] ?? '');
  return { status: statusCode, headers, text, body: isJson ? JSON.parse(text) : undefined };
}
