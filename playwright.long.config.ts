/** `npm run test:long`, and `npm run looks` of it: every state of the page as a picture. */
import config from './playwright.config';

export default { ...config, testMatch: '**/*.long.ts' };
