import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findMockingTests, findQuickTests } from './quick-tests';

/** @param files path → text */
function makeProject(files: Record<string, string>): string {
	const root = mkdtempSync(join(tmpdir(), 'nowboard-quick-'));
	onTestFinished(() => rmSync(root, { recursive: true }));
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), text);
	}
	return root;
}

test('a test that imports what starts a program, directly or through a file, is not quick', () => {
	const root = makeProject({
		'tests/setup/server.ts': "import { spawn } from 'node:child_process';\n",
		'tests/setup/database.ts': "import { inject } from 'vitest';\ninject('adminUrl');\n",
		'src/lib/a.ts': "import {\n\tx,\n} from '../../tests/setup/server';\n",
		'src/lib/b.ts': "import type { Server } from '../../tests/setup/server';\n",
		'src/lib/direct.test.ts': "import { spawn } from 'node:child_process';\n",
		'src/lib/through.test.ts': "import { x } from './a';\n",
		'src/lib/alias.test.ts': "import { x } from '$lib/a';\n",
		'src/lib/database.test.ts': "import { d } from '../../tests/setup/database';\n",
		'src/lib/browser.test.ts': "import { chromium } from 'playwright';\n",
		'src/lib/component.svelte.test.ts': "import { test } from 'vitest';\n",
		'src/lib/unit.test.ts': "import { x } from './b';\nimport Card from './Card.svelte';\n",
		'tests/type.test.ts': "import type { Server } from './setup/server';\n",
	});
	expect(findQuickTests(root)).toEqual(['src/lib/unit.test.ts', 'tests/type.test.ts']);
});

test('two files that import each other are read once', () => {
	const root = makeProject({
		'src/a.ts': "import { b } from './b';\n",
		'src/b.ts': "import { a } from './a';\n",
		'src/a.test.ts': "import { a } from './a';\n",
	});
	expect(findQuickTests(root)).toEqual(['src/a.test.ts']);
});

test('finds what replaces modules, and not what only watches a function', () => {
	const root = makeProject({
		'tests/mocks.test.ts': "vi.mock('../src/a', () => ({}));\n",
		'tests/mocks-later.test.ts': "test('x', () => {\n\tvi.doMock('../src/a');\n});\n",
		'tests/spies.test.ts': "vi.spyOn(JSON, 'parse'); // not vi.mock('../src/a')\n",
	});
	expect(findMockingTests(root)).toEqual(['tests/mocks-later.test.ts', 'tests/mocks.test.ts']);
	expect(findMockingTests()).toContain('tests/delivery/thrown.test.ts');
	// these share modules: a module that one replaces would be replaced for all
	expect(findQuickTests().filter((path) => findMockingTests().includes(path))).toEqual([]);
});

test('in this project most units are quick, and what needs Postgres is not', () => {
	const quick = findQuickTests();
	expect(quick).toContain('src/lib/server/stream/ring.test.ts');
	expect(quick).toContain('tests/architecture.test.ts');
	expect(quick).not.toContain('src/lib/server/migrations/migrate.test.ts');
	expect(quick).not.toContain('tests/delivery/trouble.test.ts');
	expect(quick.length).toBeGreaterThan(60);
});
