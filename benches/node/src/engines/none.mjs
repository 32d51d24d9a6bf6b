/** No engine: the cost of the process alone, which is subtracted from every cold start. */

/** @param {string} text */
export const load = (text) => ({ subject: () => text.length, isEnabled: () => false });
