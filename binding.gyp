{
  'variables': { 'openssl_fips': '' },
  'target_defaults': {
    'cflags!': ['-fno-exceptions', '-O2', '-O3'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    'cflags': ['-O3', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-unused-parameter'],
    'cflags_cc': ['-std=c++20', '-fno-math-errno', '-ffp-contract=off'],
    'include_dirs': ['native'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'GCC_OPTIMIZATION_LEVEL': '3',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
    'msvs_settings': {
      'VCCLCompilerTool': { 'ExceptionHandling': 1, 'Optimization': 2, 'AdditionalOptions': ['/std:c++20', '/EHsc'] },
    },
  },
  'targets': [
    {
      # One library an instruction set, each with its own flags: nothing else in the core may be compiled for more than the baseline.
      'target_name': 'simd_avx2',
      'type': 'static_library',
      'sources': ['native/simd/kernels_avx2.cpp'],
      'conditions': [
        ['target_arch=="x64" and OS!="win"', {
          'cflags': ['-mavx2', '-mfma', '-mf16c', '-mbmi2'],
          'xcode_settings': { 'OTHER_CFLAGS': ['-mavx2', '-mfma', '-mf16c', '-mbmi2'] },
        }],
        ['target_arch=="x64" and OS=="win"', { 'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['/arch:AVX2'] } } }],
      ],
    },
    {
      'target_name': 'simd_avx512',
      'type': 'static_library',
      'sources': ['native/simd/kernels_avx512.cpp'],
      'conditions': [
        ['target_arch=="x64" and OS!="win"', {
          'cflags': ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512vnni', '-mfma', '-mf16c', '-mbmi2', '-mprefer-vector-width=512'],
          'xcode_settings': { 'OTHER_CFLAGS': ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512vnni', '-mfma', '-mf16c', '-mbmi2'] },
        }],
        ['target_arch=="x64" and OS=="win"', { 'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['/arch:AVX512'] } } }],
      ],
    },
    {
      'target_name': 'nigh_core',
      'type': 'static_library',
      'sources': [
        'native/base/buffer.cpp',
        'native/base/csr_transpose.cpp',
        'native/base/file.cpp',
        'native/base/id_set.cpp',
        'native/base/thread_pool.cpp',
        'native/format/crc32c.cpp',
        'native/format/index_file.cpp',
        'native/index/exact_scan.cpp',
        'native/index/flat_index.cpp',
        'native/index/hnsw_builder.cpp',
        'native/index/hnsw_index.cpp',
        'native/index/row_store.cpp',
        'native/index/vector_index.cpp',
        'native/quant/sq8.cpp',
        'native/simd/dispatch.cpp',
        'native/simd/kernels_neon.cpp',
        'native/simd/kernels_scalar.cpp',
        'native/train/als.cpp',
        'native/train/randomized_svd.cpp',
      ],
      'conditions': [
        ['target_arch=="x64" and OS!="win"', {
          'cflags': ['-march=x86-64-v2'],
          'xcode_settings': { 'OTHER_CFLAGS': ['-march=x86-64-v2'] },
        }],
        ['target_arch=="arm64" and OS=="linux"', { 'cflags': ['-march=armv8.2-a+crc+dotprod'] }],
      ],
    },
    {
      'target_name': 'nigh',
      'dependencies': ['nigh_core', 'simd_avx2', 'simd_avx512'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'sources': [
        'native/napi/addon_data.cpp',
        'native/napi/args.cpp',
        'native/napi/errors.cpp',
        'native/napi/id_set_binding.cpp',
        'native/napi/index_binding.cpp',
        'native/napi/module.cpp',
        'native/napi/promise_task.cpp',
        'native/napi/simd_binding.cpp',
        'native/napi/task_control_binding.cpp',
        'native/napi/task_threads.cpp',
        'native/napi/train_binding.cpp',
      ],
    },
    {
      # The C++ tests: a plain program, so that sanitizers need no Node.
      'target_name': 'native_tests',
      'type': 'executable',
      'dependencies': ['nigh_core', 'simd_avx2', 'simd_avx512'],
      'include_dirs': ['test/native'],
      'sources': ['<!@(node -p "require(\'fs\').readdirSync(\'test/native\').filter((f) => f.endsWith(\'.cpp\')).map((f) => \'test/native/\' + f).join(\' \')")'],
      'ldflags': ['-pthread'],
    },
  ],
}
