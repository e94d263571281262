import { buildDemoApp } from './demo/build-demo-app.ts';

buildDemoApp().synth();
