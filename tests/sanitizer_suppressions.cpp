// What the thread sanitizer must not report in any test: libraries that were built without it, whose locks it
// cannot see.

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libvips.so\n"
         "called_from_lib:libgio-2.0.so\n"
         "called_from_lib:libglib-2.0.so\n"
         "called_from_lib:libgobject-2.0.so\n"
         "called_from_lib:libgmodule-2.0.so\n"
         "called_from_lib:libheif.so\n"
         "called_from_lib:libpng16.so\n"
         "called_from_lib:libtiff.so\n"
         "called_from_lib:libjpeg.so\n"
         "called_from_lib:libwebp.so\n"
         "called_from_lib:libz.so\n"
         "called_from_lib:liblzma.so\n"
         "called_from_lib:libopenjp2.so\n"
         "called_from_lib:libgomp\n"
         "called_from_lib:libtorch_cpu.so\n"
         "called_from_lib:libc10.so\n"
         "mutex:ensureWaitCounterBackendRegistered\n";
}
