// The part of the WebAssembly API that test/fuzz uses. TypeScript has it in its DOM library, which nothing here wants.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: { readonly env: Readonly<Record<string, unknown>> });
  }
}
