/** Copies an object's own members, so that a polluted `Object.prototype` has no effect. */
export const ownMembers = <Value extends object>(object: Value): Value => Object.assign(Object.create(null), object)
