// The rules of OFREP's published OpenAPI document, and a check of answers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';

/** service/openapi.yaml 0.3.0 of open-feature/protocol at d1a63a4: its paths and schemas. */
const PUBLISHED = readFileSync(new URL('ofrep-0.3.0.json', import.meta.url), 'utf8');

/** Returns the rules as published. */
export const published = () => JSON.parse(PUBLISHED);

/**
 * Returns the rules with two corrections, without which valid answers are invalid:
 * - A value may match several types, not exactly one: codeDefaultFlag requires nothing, so it
 *   always matches beside another type.
 * - DEFAULT is a reason. It is one of OpenFeature's reasons, ADR 0006 of the same repository uses
 *   it, and every client accepts it.
 */
export function correctedRules() {
  const document = published();
  const [described, valued] = document.components.schemas.evaluationSuccess.allOf;
  valued.anyOf = valued.oneOf;
  delete valued.oneOf;
  described.properties.reason.enum.push('DEFAULT');
  return document;
}

/** The rules of a document, compiled for checks. */
export class Rules {
  #document;
  #ajv = new Ajv({ strict: false, allErrors: true });
  #compiled = new Map();

  constructor(document) {
    this.#document = document;
    addFormats(this.#ajv);
    this.#ajv.addSchema({ $id: 'ofrep', ...document }, 'ofrep');
  }

  /** Returns the violations of a schema by a value. Empty if there are none. */
  violations(schema, value) {
    return this.#faults(`ofrep#/components/schemas/${schema}`, value);
  }

  /** Asserts that an answer is valid for a path. `body` is undefined for an empty answer. */
  check(path, { status, headers, body }, what) {
    const response = this.#document.paths[path].post.responses[status];
    assert.ok(response, `${what}: a status that is not in the document: ${status}`);
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
