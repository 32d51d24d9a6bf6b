/** The live client of the edge runtimes, shared with other edge platforms. */
export { connect } from '../edge/client.js'
