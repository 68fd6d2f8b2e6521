import { testInflater } from './inflateCases';

testInflater(2000);
