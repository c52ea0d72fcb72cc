// import() of Node itself: within a test Vitest would transform what is imported, and the build is to run as it is.
module.exports = { nativeImport: (address) => import(address) };
