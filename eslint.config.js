/**
 * Rules that find mistakes; the looks of the code belong to prettier. No rule here needs types, so that
 * `npm run lint` takes seconds; the types are checked by `npm run check`.
 */
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
	{
		ignores: [
			'build/',
			'**/.next/',
			'**/node_modules/',
			'.svelte-kit/',
			'.data/',
			'test-results/',
			'playwright-report/',
		],
	},
	js.configs.recommended,
	...ts.configs.recommended,
	...svelte.configs.recommended,
	prettier,
	...svelte.configs.prettier,
	{
		languageOptions: { globals: { ...globals.browser, ...globals.node } },
		rules: {
			// TypeScript knows better which names exist
			'no-undef': 'off',
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/consistent-type-imports': 'error',
			'@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
			'no-restricted-syntax': [
				'error',
				{
					selector:
						'MemberExpression[object.name=/^(test|it|describe)$/][property.name=/^(only|skip|todo)$/]',
					message: 'A test that is left out proves nothing: fix it or remove it.',
				},
			],
			eqeqeq: ['error', 'always', { null: 'ignore' }],
		},
	},
	{
		// these give a seed with every call
		ignores: ['tests/setup/fast-check.ts', 'tests/fuzz/**', 'tests/wire/long.ts'],
		rules: {
			'no-restricted-imports': [
				'error',
				{
					name: 'fast-check',
					message: 'Import tests/setup/fast-check.ts, or every run tries other cases.',
				},
			],
		},
	},
	{
		files: ['**/*.svelte', '**/*.svelte.ts'],
		languageOptions: {
			parserOptions: { extraFileExtensions: ['.svelte'], parser: ts.parser, svelteConfig },
		},
		rules: {
			// the app is always served from the root of its origin
			'svelte/no-navigation-without-resolve': 'off',
		},
	},
);
