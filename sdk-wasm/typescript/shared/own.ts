/** An object's own members alone, so that nothing can be put into it by way of `Object.prototype`. */
export const own = <Value extends object>(object: Value): Value => Object.assign(Object.create(null), object)
