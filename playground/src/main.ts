// The page begins here.

import { App } from './app';

void new App().start();
