// APNG ("Animated PNG graphics", W3C PNG third edition, 11.3.4): the chunks of each frame are one packet for
// FFmpeg's decoder, which draws it onto the frames before it.
#include "stills/apng_frames.h"

#include <climits>
#include <cstring>

#include "image/stored_number.h"
#include "stills/decoded_picture.h"

namespace imgmill {
namespace {

constexpr size_t kSignature = 8;
constexpr size_t kAround = 12;  // a chunk's length, name and checksum

class ApngFrames final : public StillFrames {
 public:
  ApngFrames(const uint8_t* bytes, size_t size, int64_t width, int64_t height)
      : bytes_(bytes), size_(size), width_(width), height_(height) {}

  bool Open(std::string& why) {
    if (size_ > INT_MAX) return why = "it has more than 2 GiB", false;
    context_ = MakeContext(AV_CODEC_ID_APNG, log_);
    if (!context_) return why = "this FFmpeg was built without its decoder", false;
    const std::string head = TakeHead();
    context_->extradata = static_cast<uint8_t*>(av_mallocz(head.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (context_->extradata == nullptr) return why = "out of memory", false;
    std::memcpy(context_->extradata, head.data(), head.size());
    context_->extradata_size = static_cast<int>(head.size());
    const int error = avcodec_open2(context_.get(), nullptr, nullptr);
    if (error < 0) return why = log_.Text(error), false;
    return true;
  }

  std::optional<double> Next(std::string* why) override {
    if (apart_) {
      apart_ = false;
      return 0;
    }
    if (number_ == frames_) return std::nullopt;
    ++number_;
    const size_t begin = at_;
    if (!Is("fcTL") || !SkipFrame()) return *why = "data ends before the frame does", std::nullopt;
    const double seconds = SecondsOf(bytes_ + begin + kAround - 4);
    log_.Clear();
    const Packet packet = MakePacket(bytes_ + begin, at_ - begin);
    DecodedFrame frame(av_frame_alloc());
    if (!packet || !frame) return *why = "out of memory", std::nullopt;
    // A key frame is not drawn onto others.
    if (number_ > 1) packet->flags &= ~AV_PKT_FLAG_KEY;
    int error = avcodec_send_packet(context_.get(), packet.get());
    if (error >= 0) error = avcodec_receive_frame(context_.get(), frame.get());
    if (error == AVERROR_PATCHWELCOME)
      return *why = "a frame of 16 bits that is drawn over others is not supported", std::nullopt;
    if (error < 0) return *why = log_.Text(error), std::nullopt;
    const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame->format));
    if (frame->width != width_ || frame->height != height_ || descriptor == nullptr)
      return *why = "it decodes to another size than its header says", std::nullopt;
    picture_.emplace(std::move(frame), descriptor);
    return seconds;
  }

  void Row(int64_t y, int bands, size_t sample_bytes, uint8_t* to) const override {
    constexpr uint8_t kOpaque = 255;
    constexpr uint16_t kWideOpaque = 65535;
    if (sample_bytes == 1) return picture_->Row(y, bands, kOpaque, to);
    picture_->Row(y, bands, kWideOpaque, reinterpret_cast<uint16_t*>(to));
  }

 private:
  /// Whether a whole chunk lies at at_, of this name.
  bool Is(const char* name) const { return Whole() && std::memcmp(bytes_ + at_ + 4, name, 4) == 0; }
  bool Whole() const { return size_ - at_ >= kAround && BigEndian(bytes_ + at_, 4) <= size_ - at_ - kAround; }
  void Skip() { at_ += kAround + static_cast<size_t>(BigEndian(bytes_ + at_, 4)); }

  /// What is before the first frame and of all of them, without the data of an image that is none.
  std::string TakeHead() {
    constexpr size_t kFirstNumber = 8;
    std::string head;
    for (at_ = kSignature; Whole() && !Is("fcTL"); Skip()) {
      if (Is("acTL")) frames_ = BigEndian(bytes_ + at_ + kFirstNumber, 4);
      if (Is("IDAT")) {
        apart_ = true;
        continue;
      }
      head.append(reinterpret_cast<const char*>(bytes_ + at_),
                  kAround + static_cast<size_t>(BigEndian(bytes_ + at_, 4)));
    }
    return head;
  }

  /// From a frame's control chunk to the next one's, or to the end. False: it has no data, or is cut.
  bool SkipFrame() {
    bool data = false;
    for (Skip(); Whole(); Skip()) {
      if (Is("fcTL") || Is("IEND")) return data;
      data = data || Is("fdAT") || Is("IDAT");
    }
    return false;
  }

  static double SecondsOf(const uint8_t* control) {
    constexpr size_t kDelay = 20;
    constexpr uint64_t kHundredths = 100;  // what a denominator of 0 stands for
    const uint64_t denominator = BigEndian(control + kDelay + 2, 2);
    return static_cast<double>(BigEndian(control + kDelay, 2)) /
           static_cast<double>(denominator == 0 ? kHundredths : denominator);
  }

  const uint8_t* bytes_;
  const size_t size_;
  const int64_t width_;
  const int64_t height_;
  ErrorLog log_;
  Context context_;
  size_t at_ = 0;        ///< of the next chunk
  bool apart_ = false;   ///< a first image that is no part of the animation is still to come
  uint64_t frames_ = 0;  ///< of the animation, as the file says
  uint64_t number_ = 0;  ///< frames so far
  std::optional<DecodedPicture> picture_;
};

}  // namespace

std::unique_ptr<StillFrames> OpenApngFrames(const uint8_t* bytes, size_t size, int64_t width, int64_t height,
                                            std::string& why) {
  auto frames = std::make_unique<ApngFrames>(bytes, size, width, height);
  if (!frames->Open(why)) return nullptr;
  return frames;
}

}  // namespace imgmill
