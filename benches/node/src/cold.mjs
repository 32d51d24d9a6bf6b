/** The process of one cold start: loads an engine and a document, and evaluates all flags once. */

import { readFileSync } from 'node:fs';

import { allOf } from './engine.mjs';

const [engineName, questionPath] = process.argv.slice(2);
const { document, tenant, keys } = JSON.parse(readFileSync(questionPath, 'utf8'));
const answers = new Uint8Array(keys.length);

const memory = process.memoryUsage.rss();
const start = process.cpuUsage();
const { load } = await import(`./engines/${engineName}.mjs`);
const engine = await load(document);
await allOf(engine)(engine.subject(tenant), keys, answers);
const { user, system } = process.cpuUsage(start);
const bytes = process.memoryUsage.rss() - memory;

process.send({ nanoseconds: (user + system) * 1_000, bytes, enabled: answers.reduce((sum, answer) => sum + answer, 0) });
// Some peers keep threads alive.
process.disconnect();
process.exit(0);
