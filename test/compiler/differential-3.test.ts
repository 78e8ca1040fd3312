import { differentialTest } from './differential.ts';

differentialTest(3);
