// Whatever takes samples reads their files once more, and holds them against what the engine has seen.
#include "sample_writer.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "archive/file_part.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"

namespace imgmill {

Status IsOfOneFormat(const std::string& folder, const char* file, const char* what, bool overwrite) {
  const std::string path = folder + "/" + file;
  if (overwrite || !Exists(path)) return {};
  return Error{Stage::kWrite, Code::kConflict,
               PrintablePath(path) + " exists already: the folder has " + what +
                   ", whose members.jsonl would be replaced (choose another output folder, or use --force)"};
}

bool HasSamples(const std::string& folder, const std::string& file) {
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(folder + "/members.jsonl", missing);
  return Exists(folder + "/" + file) || (!missing && bytes > 0);
}

Result<Item> ItemOfMembers(const RecordTable<ShardSample>& samples) {
  RunningDigest digest;
  const Status read = samples.ForEach([&](const ShardSample& sample) {
    for (const PackedFile& file : sample.files) {
      digest.Add(file.member.c_str(), file.member.size() + 1);  // the NUL ends it
      digest.Add(file.content.bytes.data(), file.content.bytes.size());
    }
    return Status();
  });
  if (!read) return read.error();
  Item item;
  item.main.absolute = kPackedSource;
  item.main.content = digest.Finish();
  return item;
}

Status CopyContent(const PackedFile& file, std::span<char> buffer,
                   const std::function<Status(const char* data, size_t bytes)>& put) {
  std::optional<FilePart> source = FilePart::Open(file.path);
  if (!source) return ErrnoError(Stage::kDecode, errno, "no longer readable");
  RunningDigest digest;
  uint64_t left = file.bytes;
  while (left > 0) {
    const ssize_t got = source->Read(buffer.data(), std::min<uint64_t>(left, buffer.size()));
    if (got < 0) return ErrnoError(Stage::kDecode, errno, "no longer readable");
    if (got == 0) break;
    digest.Add(buffer.data(), static_cast<size_t>(got));
    TRY(put(buffer.data(), static_cast<size_t>(got)));
    left -= static_cast<uint64_t>(got);
  }
  if (left > 0 || digest.Finish() != file.content)
    return Error{Stage::kDecode, Code::kReadError, "it was changed while it was packed: run again"};
  return {};
}

nlohmann::ordered_json LineOf(const std::string& shard, const ShardSample& sample) {
  nlohmann::ordered_json line;
  line["shard"] = shard;
  line["key"] = PrintablePath(sample.key);
  for (const PackedFile& file : sample.files) {
    line["files"].push_back({{"member", PrintablePath(file.member)},
                             {"source", PrintablePath(file.path)},
                             {"content", file.content.Hex()},
                             {"bytes", file.bytes}});
  }
  return line;
}

}  // namespace imgmill
