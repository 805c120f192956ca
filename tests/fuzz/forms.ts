/**
 * Requests to forms: by unauthenticated clients, and by authorized ones that send what no page of ours
 * does.
 */
import fc from 'fast-check';
import { noToken } from './looks';
import { post, type FuzzRequest } from './request';
import { SETTINGS_ACTIONS, type SettingsAction } from './tables';
import { nastyText, toQuery, toWellFormed } from './texts';

const FORM = 'application/x-www-form-urlencoded';
const OURS = { cookie: 'nowboard_viewer={session}', origin: '{origin}' };

/** Of createNames: the first key is the one that good requests come with, and stays; the next are for `good` below. */
const KEYS = { min: 10, max: 60 };

/** What would be granted. */
const FIELDS: Record<SettingsAction, Record<string, fc.Arbitrary<string>>> = {
	share: { name: fc.constant('a'), days: fc.constantFrom('', '1', '3650') },
	unshare: { id: fc.integer(KEYS).map(String) },
	makeKey: {
		kind: fc.constantFrom('public', 'secret'),
		source: fc.constantFrom('shop', 'blog'),
		name: fc.constant('a'),
		origins: fc.constantFrom('', 'https://shop.example'),
	},
	rotateKey: { id: fc.integer(KEYS).map(String) },
	revokeKey: { id: fc.integer(KEYS).map(String) },
};
/** Each action once, as a page of ours sends it: granted for sure when it is first sent. */
const GOOD: Record<SettingsAction, string> = {
	share: 'name=a&days=1',
	unshare: 'id=2',
	makeKey: 'kind=public&source=shop&name=a&origins=',
	rotateKey: 'id=2',
	revokeKey: 'id=3',
};
export const goodForms: readonly FuzzRequest[] = SETTINGS_ACTIONS.map((action) => ({
	...post('a good form', Buffer.from(GOOD[action]), { ...OURS, 'content-type': FORM }),
	path: `/settings?/${action}`,
}));
const OTHERS = ['/settings?/x', '/settings', '/api/tokens', '/api/demo', '/s/x', '/kiosk'];
const ALL_FIELDS = [
	...new Set(Object.values(FIELDS).flatMap(Object.keys)),
	'password',
	'__proto__',
];

const toForm = (fields: Record<string, string>) =>
	Object.entries(fields)
		.map(([name, text]) => `${name}=${toQuery(text)}`)
		.join('&');
const BOUNDARY = 'multipart/form-data; boundary=x';
const toParts = (fields: Record<string, string>) =>
	`${Object.entries(fields)
		.map(
			([name, text]) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
		)
		.join('')}--x--\r\n`;

const answered = fc.constantFrom('application/json', 'text/html');
const typed = fc.oneof(
	{ weight: 4, arbitrary: fc.constantFrom(FORM, BOUNDARY) },
	{ weight: 1, arbitrary: fc.constantFrom('multipart/form-data', 'text/plain', 'x') },
);

/** Each with one field that is another, or as it should be. Keys are made rarely: the page lists all of them. */
const ofSettings = fc.oneof(
	...SETTINGS_ACTIONS.map((action) => ({
		weight: action === 'makeKey' ? 1 : 4,
		arbitrary: fc
			.tuple(
				fc.record(FIELDS[action]),
				fc.constantFrom(...ALL_FIELDS),
				nastyText,
				fc.boolean(),
				typed,
				answered,
			)
			.map(([good, name, text, isGood, type, accept]) => {
				const fields = isGood ? good : { ...good, [name]: text };
				return {
					...post(
						'a form of ours',
						Buffer.from(type === BOUNDARY ? toParts(fields) : toForm(fields)),
						{ ...OURS, 'content-type': type, accept },
					),
					path: `/settings?/${action}`,
				};
			}),
	})),
);
const elsewhere = fc
	.tuple(fc.constantFrom(...OTHERS), fc.constantFrom(...ALL_FIELDS), nastyText, typed, answered)
	.map(([path, name, text, type, accept]) => ({
		...post(
			'a form elsewhere',
			Buffer.from(type === BOUNDARY ? toParts({ [name]: text }) : toForm({ [name]: text })),
			{ ...OURS, 'content-type': type, accept },
		),
		path,
	}));
const ofStrangers = fc
	.tuple(
		nastyText,
		fc.constantFrom(
			...['/login', '/logout', '/api/demo', '/api/tokens'],
			...SETTINGS_ACTIONS.map((action) => `/settings?/${action}`),
		),
		fc.oneof(noToken, nastyText),
	)
	.map(([text, path, session]) => ({
		...post(
			'a form of an unauthenticated client',
			Buffer.from(`password=${toWellFormed(text)}&name=${toWellFormed(text)}&everywhere=true&id=2`),
			{
				'content-type': FORM,
				// a wrong password from our own page is for `logins`
				...(path !== '/login' && {
					origin: '{origin}',
					cookie: `nowboard_viewer=${toQuery(session)}`,
				}),
			},
		),
		path,
	}));

export const forms: fc.Arbitrary<FuzzRequest> = fc.oneof(
	{ weight: 3, arbitrary: ofSettings },
	{ weight: 1, arbitrary: elsewhere },
	{ weight: 2, arbitrary: ofStrangers },
);

/** Rare: each wrong one takes its time. */
export const logins: fc.Arbitrary<FuzzRequest> = fc
	.tuple(nastyText, fc.constantFrom(FORM, 'multipart/form-data', 'text/plain'), answered)
	.map(([text, type, accept]) => ({
		...post('a login', Buffer.from(`password=${toQuery(text)}`), {
			origin: '{origin}',
			'content-type': type,
			accept,
		}),
		path: '/login',
	}));

/** The form that an answer has granted; null: none. @param status, body of the answer: a script is told 200 of a refusal as well */
export function toGranted(
	{ method, path }: FuzzRequest,
	status: number,
	body: string,
): SettingsAction | null {
	const asked = /^\/settings\?\/(\w+)$/.exec(path)?.[1];
	const action = SETTINGS_ACTIONS.find((one) => one === asked);
	if (!action || method !== 'POST' || status !== 200) return null;
	return /^\{"type":"(failure|error|redirect)"/.test(body) ? null : action;
}
