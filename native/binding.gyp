# SPDX-License-Identifier: Apache-2.0
# The addon: hidden symbols, static libbpf, dynamic libelf (Debian's libelf.a is not position independent), no C++ exceptions.
{
  "targets": [
    {
      "target_name": "kerngate",
      "sources": [
        "src/addon.cc",
        "src/args.cc",
        "src/attached.cc",
        "src/batch.cc",
        "src/diag.cc",
        "src/error.cc",
        "src/host.cc",
        "src/job.cc",
        "src/link.cc",
        "src/link_program.cc",
        "src/map.cc",
        "src/map_keys.cc",
        "src/netns.cc",
        "src/object.cc",
        "src/ring.cc",
        "src/ring_api.cc",
        "src/ring_buffer.cc",
        "src/shape.cc",
        "src/sock.cc",
        "src/sock_mark.cc",
      ],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "_GNU_SOURCE"],
      "include_dirs": [
        "../node_modules/node-addon-api",
        "vendor/include",
        "vendor/libbpf/include/uapi",
      ],
      "libraries": ["<(module_root_dir)/vendor/lib/libbpf.a", "-lelf", "-lz"],
      "cflags": ["-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter"],
      "cflags_cc!": ["-std=gnu++20"],
      "cflags_cc": ["-std=gnu++17", "-fvisibility-inlines-hidden", "-fno-gnu-unique"],
      "ldflags": ["-Wl,--exclude-libs,ALL", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack", "-Wl,--as-needed"],
    },
  ],
}
