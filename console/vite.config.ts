import react from "@vitejs/plugin-react";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vitest/config";
import type { Plugin } from "vite";

/**
 * What is done with written files: the page names the digests of its script and style (W3C, "Subresource Integrity"), and each file
 * has a compressed copy beside it, as the daemon hands out whichever the browser understands.
 */
function finished(): Plugin {
  return {
    name: "finished",
    writeBundle(options, bundle) {
      const folder = options.dir ?? ".";
      const page = join(folder, "index.html");
      const whole = readFileSync(page, "utf8").replace(/(src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g, (found, _attribute, name: string) => {
        const digest = createHash("sha384").update(readFileSync(join(folder, name))).digest("base64");
        return `${found} integrity="sha384-${digest}"`;
      });
      writeFileSync(page, whole);
      for (const name of Object.keys(bundle))
        if (/\.(js|css|html|svg)$/.test(name)) writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }));
    },
  };
}

const daemon = process.env.GECKOS3_ADMIN ?? "http://127.0.0.1:9001";

export default defineConfig({
  // Relative: the page may lie below any path.
  base: "./",
  plugins: [react(), finished()],
  build: {
    outDir: "../gecko_tw/admin/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // The first load is measured as it is sent: at most 300 KiB compressed (tests/console).
    chunkSizeWarningLimit: 900,
    // Small pictures would become data URLs in scripts otherwise.
    assetsInlineLimit: 0,
  },
  server: {
    // The Host that was signed goes on as it is.
    proxy: Object.fromEntries(["/api/", "/s3/", "/console.json"].map((path) => [path, { target: daemon, changeOrigin: false }])),
  },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
