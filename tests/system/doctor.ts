/** The doctor as an operator runs it where there is only a build, and what a shifted clock is. */
import { execFile, execFileSync } from 'node:child_process';
import { findProgram } from '../../scripts/testing/system-programs';

export type Diagnosis = {
	code: number;
	/** names of what is wrong, in order */
	wrong: string[];
	/** what was not looked at */
	unseen: string[];
	text: string;
};

type Given = { url?: string; env?: Record<string, string> };

/** It has no variable but those that are given. */
export function runDoctor({ url, env = {} }: Given): Promise<Diagnosis> {
	const args = ['build/doctor.js', ...(url ? [url] : [])];
	const { PATH = '' } = process.env;
	return new Promise((resolve, reject) => {
		execFile(process.execPath, args, { env: { PATH, ...env } }, (error, stdout, stderr) => {
			if (stderr !== '') return reject(new Error(stderr));
			const named = (mark: string) =>
				stdout
					.split('\n')
					.filter((line) => line.startsWith(`${mark} `))
					.map((line) => line.slice(7).split('  ')[0] ?? '');
			const code = error ? Number(error.code) : 0;
			resolve({ code, wrong: named('WRONG'), unseen: named('–'), text: stdout });
		});
	});
}

/** Variables with which a process sees another time than all others. @param shift such as `+90s` */
export function shiftClock(shift: string): Record<string, string> {
	const faketime = findProgram('faketime');
	if (!faketime)
		throw new Error('There is no faketime: npm run test:system says how to install it.');
	const output = execFileSync(faketime, ['-f', shift, 'env'], { encoding: 'utf8' });
	const lines = output.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]);
	const own = lines.filter(([name]) => name === 'LD_PRELOAD' || name === 'FAKETIME');
	// timers go on as ever
	return { ...Object.fromEntries(own), FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
