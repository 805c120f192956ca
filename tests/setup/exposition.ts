/**
 * A strict reader of Prometheus' text format 0.0.4, for tests: it throws on whatever the format forbids
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), and names what promtool's linter would.
 */
export type Family = {
	name: string;
	type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
	help: string;
	samples: Sample[];
};
type Sample = { name: string; labels: Record<string, string>; value: number };

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(
	`^(${NAME})(?:\\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*",?)*)\\})? (\\S+)(?: -?\\d+)?$`,
);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/g;
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i;

/** Families by name. Throws with the line that breaks a rule. */
export function parseExposition(text: string): Map<string, Family> {
	if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
	const families = new Map<string, Family>();
	const seen = new Set<string>();
	let current: Family | null = null;
	for (const line of text.split('\n')) {
		const refuse = (rule: string) => new Error(`${rule}: ${JSON.stringify(line)}`);
		if (line === '') continue;
		const help = HELP.exec(line);
		const type = TYPE.exec(line);
		if (help) {
			const name = help[1] as string;
			if (families.has(name)) throw refuse('a family comes twice');
			current = { name, type: 'untyped', help: help[2] as string, samples: [] };
			families.set(name, current);
		} else if (type) {
			if (!current || current.name !== type[1] || current.samples.length > 0)
				throw refuse('TYPE follows its HELP, before the samples');
			current.type = type[2] as Family['type'];
		} else if (!line.startsWith('#')) {
			const found = SAMPLE.exec(line);
			if (!found) throw refuse('not a sample');
			const [, name = '', labelText = '', valueText = ''] = found;
			if (!VALUE.test(valueText)) throw refuse('not a number');
			if (!current || !belongs(name, current)) throw refuse('a sample outside its family');
			const labels = Object.fromEntries([...labelText.matchAll(LABEL)].map(([, k, v]) => [k, v]));
			const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
			if (seen.has(key)) throw refuse('a series comes twice');
			seen.add(key);
			const value = Number(valueText.replace('Inf', 'Infinity'));
			current.samples.push({ name, labels, value });
		} else if (/^# (HELP|TYPE)\b/.test(line)) throw refuse('not a HELP or TYPE');
	}
	for (const family of families.values()) if (family.type === 'histogram') checkBuckets(family);
	return families;
}

function belongs(name: string, { name: family, type }: Family): boolean {
	if (type === 'histogram')
		return [`_bucket`, '_sum', '_count'].some((end) => name === family + end);
	if (type === 'summary') return [``, '_sum', '_count'].some((end) => name === family + end);
	return name === family;
}

function checkBuckets({ name, samples }: Family): void {
	const buckets = samples.filter((sample) => sample.name.endsWith('_bucket'));
	const series = new Map<string, Sample[]>();
	for (const bucket of buckets) {
		const { le, ...rest } = bucket.labels;
		if (le === undefined) throw new Error(`${name}: a bucket without le`);
		const key = JSON.stringify(rest);
		series.set(key, [...(series.get(key) ?? []), bucket]);
	}
	for (const [key, of] of series) {
		const count = samples.find(
			(sample) => sample.name === `${name}_count` && JSON.stringify(sample.labels) === key,
		);
		const last = of.at(-1);
		if (last?.labels.le !== '+Inf' || last.value !== count?.value)
			throw new Error(`${name}: the last bucket must be +Inf and equal to the count`);
		for (const [index, bucket] of of.entries())
			if (index > 0 && bucket.value < (of[index - 1] as Sample).value)
				throw new Error(`${name}: buckets must be cumulative`);
	}
}

/** What `promtool check metrics` warns of. */
export function lintFamilies(families: Iterable<Family>): string[] {
	const problems: string[] = [];
	for (const { name, type, help } of families) {
		if (help.trim() === '') problems.push(`${name}: no help`);
		if ((type === 'counter') !== name.endsWith('_total'))
			problems.push(`${name}: counters, and nothing else, end with _total`);
		if (/_(milliseconds|ms|minutes|hours|days|kilobytes|megabytes|percent)(_|$)/.test(name))
			problems.push(`${name}: not a base unit`);
		if (/_(counter|gauge|histogram|summary)(_|$)/.test(name))
			problems.push(`${name}: the type does not belong into the name`);
		if (/_(count|sum|bucket)$/.test(name)) problems.push(`${name}: a reserved ending`);
		if (/[A-Z]/.test(name)) problems.push(`${name}: snake_case`);
	}
	return problems;
}
