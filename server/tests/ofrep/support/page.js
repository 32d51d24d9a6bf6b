// The script of the page: a provider with an address, a credential and default settings.

import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

import { methodFor, resultOf } from './results.js';

let domains = 0;

/** Starts a client for a context. `failure` is the error of its start, if any. */
async function start({ url, headers, context }) {
  domains += 1;
  const domain = `domain-${domains}`;
  const provider = new OFREPWebProvider({ baseUrl: url, headers });
  let failure;
  try {
    await OpenFeature.setProviderAndWait(domain, provider, context);
  } catch (error) {
    failure = error.code ?? String(error);
  }
  return { client: OpenFeature.getClient(domain), provider, failure };
}

/** Evaluates cases that share the server, key and context. */
async function evaluate({ cases, ...how }) {
  const { client, provider, failure } = await start(how);
  const answers = cases.map((one) => {
    const details = resultOf(client[methodFor(one.type)](one.flag, one.default));
    return failure ? { failure, ...details } : details;
  });
  await provider.onClose();
  return answers;
}

/** All received events with their time and the value of the watched flag. */
const events = [];

/** Starts to record the events and values of a flag. */
async function watch({ flag, ...how }) {
  const { client, failure } = await start(how);
  if (failure) {
    throw new Error(failure);
  }
  for (const event of Object.values(ProviderEvents)) {
    client.addHandler(event, (details) => {
      const { value, errorCode } = client.getBooleanDetails(flag, false);
      events.push({ event, at: Date.now(), value: errorCode ?? value, changed: details?.flagsChanged });
    });
  }
}

globalThis.page = { evaluate, watch, events };
