// What FFmpeg's libraries log, kept with the decoder or the file that it is about, and printed nowhere. Part
// of each module that uses them: the log is one for the process, and either module's function does for both.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <atomic>
#include <cstddef>
#include <string>

namespace imgmill {

/// Must outlive what it was given to. While a decoder works on several threads, only the numbers may be read.
struct ErrorLog {
  std::string first;  ///< the first error, which is the cause of others
  std::atomic<size_t> errors{0};
  /// Pictures of which parts were missing, and were made up from others. FFmpeg tells it as no error; what
  /// the picture says of it, it may have said too early where threads decode together.
  std::atomic<size_t> concealed{0};

  void Clear() {
    first.clear();
    errors = 0;
    concealed = 0;
  }
  /// The first error; where there is none, FFmpeg's words for a code.
  std::string Text(int error) const;
};

/// From now on nothing goes to stderr, and what is logged about these goes to `log`.
void KeepErrors(AVCodecContext& context, ErrorLog& log);
void KeepErrors(AVFormatContext& context, ErrorLog& log);

}  // namespace imgmill
