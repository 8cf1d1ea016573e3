// WebP has neither an end marker nor a checksum, and zeros are valid symbols of its codes. But an encoder
// writes no byte that the decoder does not need: if the image can be decoded without the zeros at its end,
// they stand where other bytes were to come.
#include <webp/decode.h>

#include <cstring>
#include <string>
#include <vector>

#include "missing_end.h"
#include "stored_number.h"

namespace imgmill {
namespace {

// What an encoder may leave over at the end, and more.
constexpr uint64_t kSlack = 16;

struct Chunk {
  char name[4] = {};
  uint64_t at = 0;  // of its data
  uint64_t bytes = 0;
};

/// The first bit stream among the chunks from `start` on.
std::optional<Chunk> FindBitStream(const InputFile& file, uint64_t start, uint64_t end) {
  for (uint64_t at = start; at + 8 <= end;) {
    unsigned char head[8] = {};
    if (!file.ReadExactly(at, head, sizeof head)) return std::nullopt;
    Chunk chunk;
    std::memcpy(chunk.name, head, sizeof chunk.name);
    chunk.at = at + 8;
    chunk.bytes = LittleEndian(head + 4, 4);
    if (std::memcmp(head, "ANMF", 4) == 0) {  // a frame: its place and time, then chunks of its own
      at = chunk.at + 16;
      continue;
    }
    if (chunk.bytes > end - chunk.at) return std::nullopt;
    if (std::memcmp(head, "VP8 ", 4) == 0 || std::memcmp(head, "VP8L", 4) == 0) return chunk;
    at = chunk.at + chunk.bytes + chunk.bytes % 2;
  }
  return std::nullopt;
}

/// Whether all rows can be had of this much of a bit stream.
bool Decodes(const Chunk& chunk, const std::vector<unsigned char>& data) {
  std::vector<unsigned char> file;
  const auto number = [&](uint64_t value) {
    for (int i = 0; i < 4; ++i) file.push_back(static_cast<unsigned char>(value >> (8 * i)));
  };
  const auto text = [&](const char* four) { file.insert(file.end(), four, four + 4); };
  file.reserve(data.size() + 21);
  text("RIFF");
  number(12 + data.size() + data.size() % 2);
  text("WEBP");
  text(chunk.name);
  number(data.size());
  file.insert(file.end(), data.begin(), data.end());
  if (data.size() % 2 != 0) file.push_back(0);

  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0 ||
      WebPGetFeatures(file.data(), file.size(), &config.input) != VP8_STATUS_OK) {
    return false;
  }
  // All is parsed, but only the last rows are made into pixels.
  config.options.use_cropping = 1;
  config.options.crop_top = (config.input.height - 1) & ~1;
  config.options.crop_width = config.input.width;
  config.options.crop_height = config.input.height - config.options.crop_top;
  config.options.bypass_filtering = 1;
  config.options.no_fancy_upsampling = 1;
  config.output.colorspace = MODE_RGB;
  const VP8StatusCode status = WebPDecode(file.data(), file.size(), &config);
  WebPFreeDecBuffer(&config.output);
  return status == VP8_STATUS_OK;
}

}  // namespace

std::optional<Error> FindMissingWebpEnd(const InputFile& file, uint64_t at, uint64_t bytes) {
  constexpr uint64_t kHead = 12;  // "RIFF", a length, "WEBP"
  return bytes > kHead ? FindMissingWebpFrameEnd(file, at + kHead, bytes - kHead) : std::nullopt;
}

std::optional<Error> FindMissingWebpFrameEnd(const InputFile& file, uint64_t at, uint64_t bytes) {
  const std::optional<Chunk> chunk = FindBitStream(file, at, at + bytes);
  if (!chunk) return std::nullopt;
  const uint64_t zeros = ZerosAtEnd(file, chunk->at, chunk->bytes, chunk->bytes);
  if (zeros < 2 * kSlack) return std::nullopt;
  std::vector<unsigned char> data(chunk->bytes - kSlack);
  if (!file.ReadExactly(chunk->at, data.data(), data.size())) return std::nullopt;
  if (!Decodes(*chunk, data)) return std::nullopt;
  return Error{
      Stage::kDecode, Code::kTruncated,
      "WebP data ends in " + std::to_string(zeros) + " zeros that no pixel needs: the end was never written"};
}

}  // namespace imgmill
