/** How light and dark are named and coloured; the page's head and the switch must agree. */
export const THEME = {
	darkClassNames: ['dark'],
	lightClassNames: ['light'],
	themeColors: { light: '#fbfaf7', dark: '#0d1016' },
};
