// The rules of OFREP's published OpenAPI document, and whether an answer keeps to them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';

/** service/openapi.yaml of open-feature/protocol, version 0.3.0 at d1a63a4: its paths and schemas, without its prose. */
const PUBLISHED = readFileSync(new URL('ofrep-0.3.0.json', import.meta.url), 'utf8');

/** The rules as they are published. */
export const published = () => JSON.parse(PUBLISHED);

/**
 * The document, read so that a valid answer is valid:
 * - a value is of any of the types, not of exactly one: codeDefaultFlag asks for nothing, so it fits beside whichever type does;
 * - DEFAULT is a reason. It is one of OpenFeature's, ADR 0006 of the same repository uses it, and every client takes it.
 */
export function asMeant() {
  const document = published();
  const [described, valued] = document.components.schemas.evaluationSuccess.allOf;
  valued.anyOf = valued.oneOf;
  delete valued.oneOf;
  described.properties.reason.enum.push('DEFAULT');
  return document;
}

/** What is wrong with answers, as a document has it. */
export class Rules {
  #document;
  #ajv = new Ajv({ strict: false, allErrors: true });
  #compiled = new Map();

  constructor(document) {
    this.#document = document;
    addFormats(this.#ajv);
    this.#ajv.addSchema({ $id: 'ofrep', ...document }, 'ofrep');
  }

  /** What is wrong with a value as one of the schemas; nothing, where it keeps to it. */
  wrong(schema, value) {
    return this.#faults(`ofrep#/components/schemas/${schema}`, value);
  }

  /** Fails where an answer is none that this path of the document has. `body` is undefined where there is none. */
  check(path, { status, headers, body }, what) {
    const response = this.#document.paths[path].post.responses[status];
    assert.ok(response, `${what}: a status that the document does not have: ${status}`);
    if (!response.content) {
      return;
    }
    assert.equal(headers.get('content-type'), 'application/json', what);
    const pointer = `/paths/${path.replaceAll('/', '~1')}/post/responses/${status}/content/application~1json/schema`;
    assert.deepEqual(this.#faults(`ofrep#${encodeURI(pointer)}`, body), [], `${what}: ${JSON.stringify(body)}`);
  }

  #faults(reference, value) {
    if (!this.#compiled.has(reference)) {
      this.#compiled.set(reference, this.#ajv.compile({ $ref: reference }));
    }
    const validate = this.#compiled.get(reference);
    return validate(value) ? [] : validate.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  }
}
