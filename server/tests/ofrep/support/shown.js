// What a client of OpenFeature shows of a case, in the words of the table.

const ASKS = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  number: 'getNumberDetails',
  object: 'getObjectDetails',
};

/** The name of the method that asks for a type. */
export const askFor = (type) => ASKS[type];

/** An evaluation's details. */
export function shown({ value, reason, variant, flagMetadata, errorCode }) {
  return errorCode ? { errorCode, value } : { value, reason, variant, metadata: { ...flagMetadata } };
}
