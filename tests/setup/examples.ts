/** Examples in the documentation: code blocks by their language, and curl's command line read as a request. */
export type Block = { language: string; info: string; code: string; line: number };

/** Fenced blocks, also within lists. */
export function findBlocks(markdown: string): Block[] {
	const found = markdown.matchAll(/^( *)```(\w+)?([^\n]*)\n([\s\S]*?)^\1```/gm);
	return [...found].map((match) => ({
		language: match[2] ?? '',
		info: (match[3] ?? '').trim(),
		code: match[4] ?? '',
		line: markdown.slice(0, match.index).split('\n').length,
	}));
}

/** A POSIX shell's words: quotes, escapes, lines that go on; nothing that a shell would replace. Throws on an open quote. */
export function toWords(command: string): string[] {
	const words: string[] = [];
	let word: string | null = null;
	for (let i = 0; i < command.length; i++) {
		const char = command[i] as string;
		if (char === "'" || char === '"') {
			const end = command.indexOf(char, i + 1);
			if (end < 0) throw new Error(`an open ${char} in ${JSON.stringify(command)}`);
			word = (word ?? '') + command.slice(i + 1, end);
			i = end;
		} else if (char === '\\') {
			i++;
			if (command[i] !== '\n') word = (word ?? '') + (command[i] ?? '');
		} else if (/\s/.test(char)) {
			if (word !== null) words.push(word);
			word = null;
		} else word = (word ?? '') + char;
	}
	if (word !== null) words.push(word);
	return words;
}

/** What curl would send. Throws on an option that is not known here. */
export function toRequest(command: string): { url: string; init: RequestInit } {
	const [program, ...words] = toWords(command);
	if (program !== 'curl') throw new Error(`${program} is not curl`);
	const headers = new Headers();
	let url = '';
	let body: string | undefined;
	for (let i = 0; i < words.length; i++) {
		const word = words[i] as string;
		if (word === '-H') {
			const [name = '', value = ''] = (words[++i] ?? '').split(/:\s*(.*)/s);
			headers.set(name, value);
		} else if (word === '-d') body = words[++i] ?? '';
		else if (word.startsWith('-')) throw new Error(`${word} is not known here`);
		else url = word;
	}
	// as curl: an encoded form, unless a header says otherwise
	if (body !== undefined && !headers.has('content-type'))
		headers.set('content-type', 'application/x-www-form-urlencoded');
	return {
		url,
		init: { method: body === undefined ? 'GET' : 'POST', headers, body: body ?? null },
	};
}
