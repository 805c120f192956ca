/**
 * Numbers and times to text. Pure; imports nothing. On the server and while hydrating use the same (`toFirstLook()` or
 * DEFAULT_LOOK); once mounted, the viewer's own (`toViewerLook()`).
 */

/** How to write for whom: a BCP 47 locale for numbers and dates, an IANA time zone. */
export type Look = { locale: string; timeZone: string };

export const DEFAULT_LOOK: Look = { locale: 'en-GB', timeZone: 'UTC' };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Characters of a text in a row of the feed. CSS shows fewer and ends them in "…"; this bounds what it must lay out. */
export const MAX_TEXT_LENGTH = 200;
/** Letters that are written from right to left: Hebrew, Arabic and their relatives. */
const RIGHT_TO_LEFT =
	/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** @param accepted the header Accept-Language: its first language, where this process knows it. Times are in UTC. */
export function toFirstLook(accepted: string | null | undefined): Look {
	try {
		const { language, region } = new Intl.Locale(accepted?.split(/[,;]/)[0]?.trim() ?? '');
		const [locale] = Intl.NumberFormat.supportedLocalesOf(
			region ? `${language}-${region}` : language,
		);
		return { ...DEFAULT_LOOK, locale: locale ?? DEFAULT_LOOK.locale };
	} catch {
		// no language, or a text that is none
		return DEFAULT_LOOK;
	}
}

/**
 * What the browser is set to. Differs from the server's, so not before the page is mounted.
 *
 * @param known returned itself when it is the same: another object would write every text of the page again
 */
export function toViewerLook(known?: Look): Look {
	const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
	return known?.locale === locale && known.timeZone === timeZone ? known : { locale, timeZone };
}

/** 12345 → "12,345" */
export function toCount(value: number, { locale }: Look = DEFAULT_LOOK): string {
	return numberFormat(locale, { maximumFractionDigits: 0 }).format(value);
}

/** A number of a property: "1,234.5", with four decimals at most. */
export function toAmount(value: number, { locale }: Look = DEFAULT_LOOK): string {
	return numberFormat(locale, { maximumFractionDigits: 4 }).format(value);
}

/** 12345 → "12.3K" (which letter, and which case, is the locale's choice); below ten thousand as `toCount`. */
export function toCompact(value: number, look: Look = DEFAULT_LOOK): string {
	if (Math.abs(value) < 10_000) return toCount(value, look);
	return numberFormat(look.locale, {
		notation: 'compact',
		maximumFractionDigits: 1,
	}).format(value);
}

/** "now", "12 s ago", "3 min ago", after an hour the time ("14:05"), on other days with the date. Times in ms epoch; what lies ahead is "now". */
export function toWhen(at: number, now: number, look: Look = DEFAULT_LOOK): string {
	const age = now - at;
	if (age < 1_000) return 'now';
	if (age < MINUTE_MS) return `${toCount(Math.floor(age / 1_000), look)} s ago`;
	if (age < HOUR_MS) return `${toCount(Math.floor(age / MINUTE_MS), look)} min ago`;
	const time = isolate(toTime(at, look));
	if (toDay(at, look, true) === toDay(now, look, true)) return time;
	const sameYear = toYear(at, look) === toYear(now, look);
	return `${isolate(toDay(at, look, !sameYear))}, ${time}`;
}

/** "14:05", or with `seconds` "14:05:09". */
export function toTime(
	at: number,
	{ locale, timeZone }: Look = DEFAULT_LOOK,
	seconds = false,
): string {
	return dateFormat(locale, {
		hour: '2-digit',
		minute: '2-digit',
		...(seconds && { second: '2-digit' }),
		timeZone,
	}).format(at);
}

/** A moment to come, or long gone: "23 Nov 2026, 14:05". */
export function toMoment(at: number, look: Look = DEFAULT_LOOK): string {
	return `${isolate(toDay(at, look, true))}, ${isolate(toTime(at, look))}`;
}

/** "Tue, 24 Nov" (which order and which commas is the locale's choice), or without `weekday` "24 Nov". */
export function toDate(
	at: number,
	{ locale, timeZone }: Look = DEFAULT_LOOK,
	weekday = true,
): string {
	return dateFormat(locale, {
		...(weekday && { weekday: 'short' }),
		day: 'numeric',
		month: 'short',
		timeZone,
	}).format(at);
}

/** The hour and minute of the day in a time zone, to compare with: 0 to 23, 0 to 59. */
export function toClock(
	at: number,
	{ timeZone }: Look = DEFAULT_LOOK,
): { hour: number; minute: number } {
	const [hour, minute] = dateFormat('en-GB', {
		hour: '2-digit',
		minute: '2-digit',
		hourCycle: 'h23',
		timeZone,
	})
		.format(at)
		.split(':')
		.map(Number);
	return { hour: hour ?? 0, minute: minute ?? 0 };
}

/** The whole truth for a title: "23 Nov 2026, 14:05:09.123 UTC". */
export function toExactTime(at: number, { locale, timeZone }: Look = DEFAULT_LOOK): string {
	return dateFormat(locale, {
		day: 'numeric',
		month: 'short',
		year: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit',
		fractionalSecondDigits: 3,
		timeZoneName: 'short',
		timeZone,
	}).format(at);
}

/** Milliseconds as "14 ms", "1.2 s", "12 s", "3 min", "2 h 5 min"; below zero as zero. */
export function toDuration(ms: number, look: Look = DEFAULT_LOOK): string {
	const whole = Math.max(Math.round(ms), 0);
	if (whole < 1_000) return `${toCount(whole, look)} ms`;
	const tenths = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
	if (whole < 9_950) return `${numberFormat(look.locale, tenths).format(whole / 1_000)} s`;
	const seconds = Math.round(whole / 1_000);
	if (seconds < 60) return `${toCount(seconds, look)} s`;
	const minutes = Math.round(seconds / 60);
	if (minutes < 60) return `${toCount(minutes, look)} min`;
	const rest = minutes % 60;
	const hours = `${toCount(Math.floor(minutes / 60), look)} h`;
	return rest ? `${hours} ${toCount(rest, look)} min` : hours;
}

/** Whole seconds until a moment, for a countdown: 4 until it is 4.0 s away, 0 once it has passed. */
export function toSecondsLeft(at: number, now: number): number {
	return Math.max(Math.ceil((at - now) / 1_000), 0);
}

/** "+12 %", "−3 %", "±0 %"; null where there is nothing to compare with (before: 0 or unknown). */
export function toChange(
	current: number,
	previous: number | null | undefined,
	look: Look = DEFAULT_LOOK,
): string | null {
	if (!previous) return null;
	const percent = Math.round(((current - previous) / previous) * 100);
	const sign = percent > 0 ? '+' : percent < 0 ? '−' : '±';
	return `${sign}${toCount(Math.abs(percent), look)} %`;
}

/** A part of a whole: "34%", below a tenth with one decimal. */
export function toShare(part: number, whole: number, { locale }: Look = DEFAULT_LOOK): string {
	const share = whole === 0 ? 0 : part / whole;
	const maximumFractionDigits = share < 0.0995 ? 1 : 0;
	return numberFormat(locale, { style: 'percent', maximumFractionDigits }).format(share);
}

/** Properties as readable pairs, in their order: texts without quotes, objects and lists as JSON, line ends as spaces. */
export function toPairs(properties: { [key: string]: unknown }): { key: string; text: string }[] {
	return Object.entries(properties).map(([key, value]) => ({
		key: toLine(key),
		text: toLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')),
	}));
}

function toLine(text: string): string {
	const line = text.replace(/\s+/g, ' ');
	if (line.length <= MAX_TEXT_LENGTH) return line;
	// a character takes at most two units: no need to split 8 KiB
	const characters = [...line.slice(0, 2 * MAX_TEXT_LENGTH + 2)];
	if (characters.length <= MAX_TEXT_LENGTH) return characters.join('');
	// not within the code of one character, such as %E3%81%82
	return characters
		.slice(0, MAX_TEXT_LENGTH)
		.join('')
		.replace(/(?:%[c-f][\da-f](?:%[89ab][\da-f])*)?(?:%[\da-f]?)?$/i, '');
}

/** Whether Intl writes this locale's numbers with the digits 0 to 9. */
export function hasLatinDigits({ locale }: Look): boolean {
	return /^\d+$/.test(numberFormat(locale, { useGrouping: false }).format(1_234_567_890));
}

/** A right-to-left date inside an English sentence must not pull the words after it to its other side (UAX 9, isolates). */
export function isolate(text: string): string {
	return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

function toDay(at: number, { locale, timeZone }: Look, year: boolean): string {
	return dateFormat(locale, {
		day: 'numeric',
		month: 'short',
		...(year && { year: 'numeric' }),
		timeZone,
	}).format(at);
}

function toYear(at: number, { timeZone }: Look): string {
	return dateFormat('en-GB', { year: 'numeric', timeZone }).format(at);
}

// A formatter takes a hundred times longer to build than to use, and a busy page writes hundreds of texts a second.
const numberFormat = remember(
	(locale: string, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options),
);
const dateFormat = remember(
	(locale: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options),
);

/** Names of countries or languages. */
export const displayNames = remember(
	(locale: string, type: Intl.DisplayNamesType) => new Intl.DisplayNames(locale, { type }),
);

/** A page asks for a handful of formats, and a server for those of all its viewers, whatever they call their language. */
const MAX_REMEMBERED = 500;

/** One result for each locale and options. */
function remember<Options, Format>(
	build: (locale: string, options: Options) => Format,
): (locale: string, options: Options) => Format {
	const built = new Map<string, Format>();
	return (locale, options) => {
		const key = `${locale} ${JSON.stringify(options)}`;
		const known = built.get(key);
		if (known) return known;
		if (built.size >= MAX_REMEMBERED) built.clear();
		const format = build(locale, options);
		built.set(key, format);
		return format;
	};
}
