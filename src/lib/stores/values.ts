/** The values of a dimension that `GET /api/dashboard/values` knows. */
import { parseValues } from './parse';
import { createRead } from './read';

export const readValues = createRead('values', parseValues);
