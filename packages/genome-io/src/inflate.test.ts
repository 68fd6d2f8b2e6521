import { testInflater } from '../test/inflateCases';

testInflater(20);
