// Results of an OpenFeature client in the form of the table.

const METHODS = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  number: 'getNumberDetails',
  object: 'getObjectDetails',
};

/** Returns the name of the method for a type. */
export const methodFor = (type) => METHODS[type];

/** Converts evaluation details to a result. */
export function resultOf({ value, reason, variant, flagMetadata, errorCode }) {
  return errorCode ? { errorCode, value } : { value, reason, variant, metadata: { ...flagMetadata } };
}
