// The client openfeature-provider-ofrep with openfeature-sdk.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { WORKSPACE } from '../support/server.js';
import { everyCase } from '../support/other-languages.js';

const CHECK = fileURLToPath(new URL('../python/check.py', import.meta.url));

everyCase('python', join(WORKSPACE, 'target', 'ofrep-venv', 'bin', 'python'), [CHECK]);
