// Errors are taken from everywhere that FFmpeg tells them: return values, flags of packets and pictures, the
// log.
#include "video/picture_decoder.h"

#include <limits>
#include <utility>

#include "video/stream_decoder.h"

namespace imgmill {

bool PictureDecoder::Open(int64_t most_pixels, int threads, Error& why) {
  const AVStream& stream = container_.stream();
  const AVCodec* codec = DecoderOf(stream);
  const std::string name = avcodec_get_name(stream.codecpar->codec_id);
  if (codec == nullptr) {
    why = {Stage::kDecode, Code::kUnsupported, "FFmpeg has no decoder for its codec, " + name};
    return false;
  }
  context_.reset(avcodec_alloc_context3(codec));
  frame_.reset(av_frame_alloc());
  if (!context_ || !frame_ || avcodec_parameters_to_context(context_.get(), stream.codecpar) < 0) {
    why = {Stage::kDecode, Code::kOutOfMemory, "out of memory"};
    return false;
  }
  KeepErrors(*context_, log_);
  threads_ = threads;
  context_->thread_count = threads;
  context_->thread_type = FF_THREAD_FRAME;
  context_->pkt_timebase = stream.time_base;
  context_->err_recognition = AV_EF_CRCCHECK;
  context_->max_pixels = most_pixels;
  const int error = avcodec_open2(context_.get(), codec, nullptr);
  if (error >= 0) return true;
  why = {Stage::kDecode, error == AVERROR(ENOMEM) ? Code::kOutOfMemory : Code::kMalformed,
         "FFmpeg cannot decode it (" + name + "): " + log_.Text(error)};
  return false;
}

void PictureDecoder::NoteLogged() {
  if (threads_ > 1) return;  // of which packet it is told, nobody knows
  if (log_.errors == 0 || sent_ == 0) return;
  damage_.Broken(sent_ - 1, log_.first);
  log_.Clear();
}

void PictureDecoder::Refused(int error) {
  troubled_ = true;
  if (threads_ > 1) return;
  const std::string why = log_.Text(error);
  damage_.Broken(sent_ - 1, why);
  log_.Clear();
  if (!begun_) return;
  if (refused_.empty()) refused_why_ = why;
  refused_.push_back(sent_shown_);
}

bool PictureDecoder::Feed() {
  if (drained_) return false;
  Packet packet = container_.Next();
  if (threads_ == 1) log_.Clear();
  if (!packet) {
    drained_ = true;
    avcodec_send_packet(context_.get(), nullptr);
    return true;
  }
  const int64_t number = sent_++;
  const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
  begun_ = begun_ || key;
  troubled_ = troubled_ || !begun_ || (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
  sent_shown_ = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
  damage_.Sent(number, key, packet->pts);
  if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) damage_.Broken(number, "a packet of it is damaged");
  context_->reordered_opaque = number;
  const int error = avcodec_send_packet(context_.get(), packet.get());
  if (error < 0 && error != AVERROR(EAGAIN) && error != AVERROR_EOF) Refused(error);
  NoteLogged();
  return true;
}

bool PictureDecoder::Next() {
  constexpr int kMostErrorsAtEnd = 64;
  for (;;) {
    const int error = avcodec_receive_frame(context_.get(), frame_.get());
    if (error >= 0) {
      NoteLogged();
      if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
        troubled_ = true;
        damage_.Broken(frame_->reordered_opaque, "parts of it are missing");
      }
      return true;
    }
    const bool stuck = error != AVERROR(EAGAIN) && drained_ && ++errors_while_drained_ > kMostErrorsAtEnd;
    ended_ = error == AVERROR_EOF || stuck;
    if (ended_) return false;
    if (error != AVERROR(EAGAIN)) {
      Refused(error);
    } else if (!Feed()) {
      return ended_ = true, false;
    }
  }
}

const Damage::Gap* PictureDecoder::gap() const {
  const int64_t shown = frame_->best_effort_timestamp;
  return damage_.Around(frame_->reordered_opaque,
                        shown == AV_NOPTS_VALUE ? std::numeric_limits<int64_t>::max() : shown);
}

int64_t PictureDecoder::TakeRefused(std::string& why) {
  const int64_t now = frame_->best_effort_timestamp;
  const bool all = ended_ || now == AV_NOPTS_VALUE;
  const auto count = std::erase_if(refused_, [&](int64_t shown) { return all || shown < now; });
  if (count > 0) why = refused_why_;
  return static_cast<int64_t>(count);
}

}  // namespace imgmill
