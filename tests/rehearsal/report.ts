/** What a rehearsal has shown, written down. Pure. */
import type { Rehearsed } from './rehearse';

export function toReport({ steps, passed, postgres }: Rehearsed, machine: string): string {
	const rows = steps.map(
		({ title, seconds, outcome, passed }, i) =>
			`| ${i + 1} | ${title} | ${seconds.toFixed(1)} s | ${passed ? '' : '**failed:** '}${outcome.replaceAll('\n', ' ')} |`,
	);
	return `# Rehearsal: a deployment

Written by \`npm run rehearse -- --report docs/rehearsals/deployment.md\` on ${machine}, Postgres ${postgres} of the system.
${passed ? 'Every step passed.' : 'The rehearsal ended at the last step of this table.'}

It is what an operator does by [the guides](../README.md), in one script: what the \`Dockerfile\` leaves, in an empty folder; a Postgres that others run; nginx as the
guide has it; two instances; a restart of both while pages are open and events come; a backup, restored elsewhere. What pages were told is judged by the
table, event by event. At the first step that does not pass it ends with exit code 1, and it takes away what it has made.

|     | Step | Took | Outcome |
| --: | --- | --: | --- |
${rows.join('\n')}

## That it can fail

Each of these is done wrong on purpose, and the rehearsal must end where it shows:

| \`npm run rehearse -- --sabotage …\` | What is wrong | Must end at |
| --- | --- | --- |
| \`proxy\` | nginx buffers, and does not heed what the server says about it | step 7, the doctor: \`delay\` |
| \`kill\` | the instances are killed instead of told to end | step 9: streams cut off without a farewell |
| \`restore\` | cursors are taken to the database that they belong to, as if it were the restored one | step 12: no reset |

## What it does not show

A container engine, systemd, a certificate that browsers trust, a network that is slow or far, a database of a provider, Fly.io and Railway: none of them was at hand.
`;
}
