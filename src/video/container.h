// A video file under FFmpeg's demuxers: packets of its one video stream, read through a function of ours, so
// that a file never leads to another file or to the network.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "ffmpeg/error_log.h"
#include "ffmpeg/owned.h"
#include "image/video_module.h"

namespace imgmill {

class Container {
 public:
  Container(ReadVideoFn read, void* file, int64_t bytes) : read_(read), file_(file), bytes_(bytes) {}
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  /// Reads as far as the first packet of the stream. False: `why` tells.
  bool Open(Error& why);
  AVStream& stream() const { return *format_->streams[stream_]; }
  int picture_streams() const { return picture_streams_; }
  int64_t microseconds() const { return format_->duration; }
  int64_t bytes() const { return bytes_; }

  /// The `i`-th of the packets that are still to come, which stays among them; null: there are not so many.
  const AVPacket* Peek(size_t i);
  /// The next one; null at the end of the file, and where it cannot be read on: `end` then tells.
  Packet Next();
  struct End {
    int error = 0;      ///< 0: nothing is wrong as far as is known
    bool disk = false;  ///< the operating system could not read it
    std::string text;   ///< what FFmpeg said, if anything
  };
  const End& end() const { return end_; }
  /// How many packets of the stream its index tells of; 0 where there is none that says.
  int64_t PacketsIndexed() const;
  /// How many bytes the file is shorter than its own header says; 0 where that does not say.
  int64_t MissingBytes() const;

 private:
  static int ReadPiece(void* self, uint8_t* to, int bytes);
  static int64_t Seek(void* self, int64_t offset, int from);
  /// Whether a stream of pictures is known by now; others are then passed over.
  bool ChooseStream();
  /// Reads one packet into `ahead_`, if it is of the stream. False at the end.
  bool ReadAhead();

  const ReadVideoFn read_;
  void* const file_;
  const int64_t bytes_;
  int64_t at_ = 0;
  int64_t taken_ = 0;  ///< bytes that were read, wherever
  ErrorLog log_;
  AVIOContext* io_ = nullptr;
  AVFormatContext* format_ = nullptr;
  int stream_ = -1;
  int picture_streams_ = 0;
  std::deque<Packet> ahead_;
  bool ended_ = false;
  bool disk_ = false;
  End end_;
};

}  // namespace imgmill
