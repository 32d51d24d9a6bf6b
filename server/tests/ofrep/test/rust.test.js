// The client open-feature-ofrep with open-feature.

import { join } from 'node:path';

import { WORKSPACE } from '../support/server.js';
import { everyCase } from '../support/other-languages.js';

everyCase('rust', join(WORKSPACE, 'target', 'debug', 'dezky-ofrep-tests'), []);
