/* The build: hashed files under /assets/, and a .gz and .br twin beside every file worth compressing,
   because the server sends the twin instead of compressing itself.

   The oldest webviews it promises to run in are Chromium 76 and Safari 14. What they lack and no build
   can add is refused: by the `lib` of tsconfig.json, and for what libraries bring by the tests of the
   built files, whose windows are without it too. Before Chromium 84 and Safari 14.1 rows stand closer,
   since `gap` is unknown there between flexible boxes. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import vue from "@vitejs/plugin-vue"
import { defineConfig, type Plugin } from "vite"

const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest)$/
const TOO_SMALL_TO_GAIN = 512

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesUnder(path) : [path]
  })
}

function compressedTwins(): Plugin {
  let folder = "dist"
  return {
    name: "compressed-twins",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir)
    },
    closeBundle() {
      for (const path of filesUnder(folder)) {
        if (!COMPRESSIBLE.test(path) || statSync(path).size < TOO_SMALL_TO_GAIN) continue
        const plain = readFileSync(path)
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }))
        writeFileSync(
          `${path}.br`,
          brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
        )
      }
    },
  }
}

export default defineConfig({
  plugins: [vue(), compressedTwins()],
  define: { __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false" },
  build: {
    target: "es2019",
    cssTarget: ["chrome76", "safari14"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    /* The chart library is larger than the usual 500 kB; its weight has a budget in the tests. */
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "vendor", test: /node_modules[\\/](@vue|vue|vue-router|pinia)[\\/]/ },
            { name: "floor", test: /src[\\/](wire[\\/](?!watching)|i18n[\\/](index|zh|times)|store[\\/](?!receipts|typing|my_number|favourites|mirrors|records|contacts))/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": "http://127.0.0.1:8080",
      "/socket.io": { target: "http://127.0.0.1:8080", ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    isolate: false,
    include: ["tests/**/*.test.ts"],
    setupFiles: ["tests/setup.ts"],
  },
} as Parameters<typeof defineConfig>[0])
