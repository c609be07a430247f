// The whole script for sites whose visitors are asked.

import './whole';
