/** `npm run build`: into `build/`, or into the folder that is given; with `--reuse` a current build is not made again. */
import { buildRelease, reuseRelease } from './release/build-release';

const [to = 'build'] = process.argv.slice(2).filter((word) => word !== '--reuse');
if (!(process.argv.includes('--reuse') && reuseRelease(to))) await buildRelease(to);
