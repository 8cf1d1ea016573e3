// Which of FFmpeg's demuxers may be used, and what the end of a file means.
#include "video/container.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "image/stored_number.h"

namespace imgmill {
namespace {

// Those of cameras, discs, broadcasts and the web. Not those that lead to other files (concat, hls, dash) or
// read single images.
constexpr char kDemuxers[] =
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,asf,flv,ogg,mxf,yuv4mpegpipe,ivf,dv,nut,wtv,"
    "gxf,"
    "rm,dirac,vc1";
constexpr int kPieceBytes = 64 << 10;
/// Until a stream of pictures shows up; sound may come first.
constexpr int kMostPackets = 20000;
constexpr int64_t kMostBytes = int64_t{32} << 20;

int RefuseOther(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EACCES);
}

}  // namespace

Container::~Container() {
  ahead_.clear();
  avformat_close_input(&format_);
  if (io_ != nullptr) {
    av_freep(&io_->buffer);
    avio_context_free(&io_);
  }
}

int Container::ReadPiece(void* self, uint8_t* to, int bytes) {
  auto& own = *static_cast<Container*>(self);
  const ptrdiff_t got = own.read_(own.file_, own.at_, to, static_cast<size_t>(bytes));
  if (got < 0) own.disk_ = true;
  if (got < 0) return AVERROR(EIO);
  if (got == 0) return AVERROR_EOF;
  own.at_ += got;
  own.taken_ += got;
  return static_cast<int>(got);
}

int64_t Container::Seek(void* self, int64_t offset, int from) {
  auto& own = *static_cast<Container*>(self);
  if ((from & AVSEEK_SIZE) != 0) return own.bytes_;
  const int whence = from & ~AVSEEK_FORCE;
  const int64_t to = whence == SEEK_CUR   ? own.at_ + offset
                     : whence == SEEK_END ? own.bytes_ + offset
                                          : offset;
  if (to < 0) return AVERROR(EINVAL);
  return own.at_ = to;
}

bool Container::Open(Error& why) {
  auto* piece = static_cast<unsigned char*>(av_malloc(kPieceBytes));
  if (piece != nullptr) io_ = avio_alloc_context(piece, kPieceBytes, 0, this, &ReadPiece, nullptr, &Seek);
  if (io_ == nullptr) av_free(piece);
  format_ = avformat_alloc_context();
  if (io_ == nullptr || format_ == nullptr) {
    why = {Stage::kDecode, Code::kOutOfMemory, "out of memory"};
    return false;
  }
  KeepErrors(*format_, log_);
  format_->pb = io_;
  format_->flags |= AVFMT_FLAG_CUSTOM_IO;
  format_->io_open = &RefuseOther;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", kDemuxers, 0);
  av_dict_set(&options, "protocol_whitelist", "none", 0);
  const int error = avformat_open_input(&format_, nullptr, nullptr, &options);
  av_dict_free(&options);
  if (error < 0) {
    const bool unknown = error == AVERROR_INVALIDDATA && log_.errors == 0;
    const bool not_listed = log_.first.find("not on whitelist") != std::string::npos;
    why = {Stage::kDecode,
           disk_                   ? Code::kReadError
           : unknown || not_listed ? Code::kUnknownFormat
                                   : Code::kMalformed,
           unknown || not_listed ? "not a video of a known format"
                                 : "its header cannot be read: " + log_.Text(error)};
    // What its words mean: the index of an MP4 is written last.
    if (!disk_ && log_.first.find("moov atom not found") != std::string::npos) {
      why.code = Code::kTruncated;
      why.message =
          "the video ends before its index (moov), without which nothing of it can be read (copy the file "
          "again; if it was cut while it was recorded, a repair tool needs a whole file of the same camera)";
    }
    return false;
  }
  log_.Clear();  // what was odd about the header is no fault of a picture
  // Not how far it is into the file: the index of an MP4 lies behind all packets.
  const int64_t most = taken_ + kMostBytes;
  for (int packets = 0; packets < kMostPackets && taken_ < most; ++packets) {
    if (ChooseStream() && !ahead_.empty()) return true;
    if (!ReadAhead()) break;
  }
  if (ChooseStream() && !ahead_.empty()) return true;
  why = {Stage::kDecode, Code::kUnsupported, "it has no video stream (sound or subtitles only)"};
  if (stream_ >= 0) why = {Stage::kDecode, Code::kTruncated, "it ends before the first picture of its video"};
  if (end_.disk) why = {Stage::kDecode, Code::kReadError, "the file cannot be read: " + end_.text};
  return false;
}

bool Container::ChooseStream() {
  if (stream_ >= 0) return true;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& each = *format_->streams[i];
    const bool cover =
        (each.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
    if (each.codecpar->codec_type != AVMEDIA_TYPE_VIDEO || cover) continue;
    ++picture_streams_;
    const bool better = stream_ < 0 || ((each.disposition & AV_DISPOSITION_DEFAULT) != 0 &&
                                        (stream().disposition & AV_DISPOSITION_DEFAULT) == 0);
    if (better) stream_ = static_cast<int>(i);
  }
  if (stream_ < 0) return false;
  std::erase_if(ahead_, [this](const Packet& packet) { return packet->stream_index != stream_; });
  return true;
}

bool Container::ReadAhead() {
  if (ended_) return false;
  Packet packet(av_packet_alloc());
  const int error = packet ? av_read_frame(format_, packet.get()) : AVERROR(ENOMEM);
  if (error >= 0) {
    // Before a stream is chosen, any may become it.
    if (stream_ < 0 || packet->stream_index == stream_) ahead_.push_back(std::move(packet));
    return true;
  }
  ended_ = true;
  if (disk_ || error != AVERROR_EOF || log_.errors > 0) {
    end_.error = error;
    end_.disk = disk_;
    end_.text = log_.Text(error);
  }
  return false;
}

int64_t Container::PacketsIndexed() const {
  const bool has_table = std::string_view(format_->iformat->name).starts_with("mov");
  if (!has_table || stream().nb_frames == 0) return 0;
  // The table has what an edit list leaves out as well; FFmpeg's index has not.
  return avformat_index_get_entries_count(&stream());
}

int64_t Container::MissingBytes() const {
  constexpr int64_t kHead = 8;
  uint8_t head[kHead] = {};
  if (read_(file_, 0, head, sizeof head) != kHead) return 0;
  // RIFF: its size stands behind its name, lowest byte first. Streams that were never closed have 0 or all
  // ones.
  if (std::string_view(format_->iformat->name) != "avi") return 0;
  const auto size = static_cast<uint32_t>(LittleEndian(head + 4, 4));
  if (size == 0 || size >= 0xFFFFFF00) return 0;
  return std::max<int64_t>(0, size + kHead - bytes_);
}

const AVPacket* Container::Peek(size_t i) {
  while (ahead_.size() <= i) {
    if (!ReadAhead()) return nullptr;
  }
  return ahead_[i].get();
}

Packet Container::Next() {
  if (Peek(0) == nullptr) return nullptr;
  Packet packet = std::move(ahead_.front());
  ahead_.pop_front();
  return packet;
}

}  // namespace imgmill
