/** The list of who is here that `GET /api/dashboard/people` answers. */
import { parsePeople } from './parse';
import { createRead } from './read';

export const readPeople = createRead('people', parsePeople);
