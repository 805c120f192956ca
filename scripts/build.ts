/** `npm run build`: into `build/`, or into the folder that is given. */
import { buildRelease } from './release/build-release';

await buildRelease(process.argv[2] ?? 'build');
