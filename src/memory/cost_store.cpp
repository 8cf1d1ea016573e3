// Keeps what cost models have learned in a small text file, written whole or not at all.
//
//     imgmill-costs 2
//     model <model> <dtype> <device> <threads> <library>      tab-separated, bytes below '!' and '%' as %HH
//     peak <pixels> <bytes>                                    of the model above
//     end <number of lines before this one>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>

#include "imgmill/base/errno_error.h"
#include "memory/cost_model_impl.h"
#include "memory/proc_file.h"

namespace imgmill {
namespace {

constexpr char kFirstLine[] = "imgmill-costs 2";
/// What files of earlier versions begin with: they are learned anew.
constexpr char kEarlierFirstLine[] = "imgmill-costs 1\n";

using KeyFields = std::tuple<std::string, std::string, std::string, int, std::string>;
using PointsByKey = std::map<KeyFields, std::vector<CostPoint>>;

KeyFields FieldsOf(const CostKey& key) {
  return {key.model, key.dtype, key.device, key.threads, key.library};
}

std::string Escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= '!' && c != '%') {
      escaped += c;
      continue;
    }
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", byte);
    escaped += hex;
  }
  return escaped;
}

std::string Unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && std::sscanf(text.c_str() + i + 1, "%2x", &byte) == 1) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string Print(const PointsByKey& costs) {
  std::ostringstream text;
  size_t lines = 1;
  text << kFirstLine << '\n';
  for (const auto& [key, points] : costs) {
    const auto& [model, dtype, device, threads, library] = key;
    text << "model\t" << Escape(model) << '\t' << Escape(dtype) << '\t' << Escape(device) << '\t' << threads
         << '\t' << Escape(library) << '\n';
    for (const CostPoint& point : points) {
      char line[96];
      std::snprintf(line, sizeof line, "peak\t%.0f\t%.0f\n", point.pixels, point.bytes);
      text << line;
    }
    lines += 1 + points.size();
  }
  text << "end\t" << lines << '\n';
  return text.str();
}

/// What is wrong with `text`, or nothing; what it says goes into `costs`.
std::optional<std::string> Parse(const std::string& text, PointsByKey& costs) {
  std::istringstream stream(text);
  std::string line;
  size_t lines = 0;
  std::vector<CostPoint>* points = nullptr;
  while (std::getline(stream, line)) {
    const std::string where = "line " + std::to_string(lines + 1);
    std::istringstream fields(line);
    std::string kind;
    if (lines == 0) {
      if (line != kFirstLine) return "its first line is not \"" + std::string(kFirstLine) + "\"";
    } else if (fields >> kind; kind == "model") {
      std::string model, dtype, device, library;
      int threads = 0;
      // An empty field would vanish between two tabs, so the tabs are counted out.
      std::getline(fields, model, '\t');
      if (!std::getline(fields, model, '\t') || !std::getline(fields, dtype, '\t') ||
          !std::getline(fields, device, '\t') || !(fields >> threads) || fields.get() != '\t') {
        return where + " is no model";
      }
      std::getline(fields, library);
      points = &costs[{Unescape(model), Unescape(dtype), Unescape(device), threads, Unescape(library)}];
    } else if (kind == "peak") {
      CostPoint point;
      if (points == nullptr || !(fields >> point.pixels >> point.bytes) || !(point.pixels >= 0) ||
          !(point.bytes >= 0) || point.bytes > 1e18) {
        return where + " is no peak";
      }
      AddPoint(*points, point);
    } else if (kind == "end") {
      size_t counted = 0;
      if (!(fields >> counted) || counted != lines) return "it lacks lines";
      return std::nullopt;
    } else {
      return where + " is unknown";
    }
    ++lines;
  }
  return "it ends early";
}

Error WriteError(const std::string& path, const char* what) {
  const int problem = errno;
  return ErrnoError(Stage::kCatalog, problem, std::string("cannot ") + what + " " + path);
}

Status WriteAndSync(int file, const std::string& text, const std::string& path) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t got = write(file, text.data() + written, text.size() - written);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return WriteError(path, "write");
    written += static_cast<size_t>(got);
  }
  if (fsync(file) != 0) return WriteError(path, "flush");
  return {};
}

/// Other processes see the old file or the new one, whenever they look and whatever breaks off.
Status WriteAtomically(const std::string& path, const std::string& text) {
  std::error_code ignored;  // a folder that cannot be made shows when the file in it is opened
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return WriteError(temporary, "open");
  Status status = WriteAndSync(file, text, temporary);
  if (close(file) != 0 && status.ok()) status = WriteError(temporary, "close");
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) status = WriteError(path, "replace");
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

}  // namespace

struct CostStore::Impl {
  std::string path;
  mutable std::mutex mutex;
  PointsByKey on_file;
  std::map<KeyFields, std::shared_ptr<CostModel>> open;
  std::vector<std::string> warnings;

  /// Reads the file into `on_file`, on top of what is there.
  void Load() {
    const std::string text = ReadWholeFile(path);
    if (text.empty() || text.starts_with(kEarlierFirstLine)) return;
    PointsByKey read;
    const auto problem = Parse(text, read);
    if (!problem) {
      for (const auto& [key, points] : read) {
        for (const CostPoint& point : points) AddPoint(on_file[key], point);
      }
      return;
    }
    const std::string aside = path + ".corrupt";
    std::string warning = "learned memory costs in " + path + " cannot be read (" + *problem + "); ";
    if (rename(path.c_str(), aside.c_str()) == 0) {
      warning += "set aside as " + aside + ", learning starts afresh";
    } else {
      warning += "it could not be set aside either: " + ErrnoText(errno);
    }
    warnings.push_back(std::move(warning));
  }
};

CostStore::CostStore(std::string path) : impl_(std::make_unique<Impl>()) {
  impl_->path = std::move(path);
  if (!impl_->path.empty()) impl_->Load();
}

CostStore::~CostStore() = default;

std::shared_ptr<CostModel> CostStore::Open(const CostKey& key) {
  std::lock_guard lock(impl_->mutex);
  auto& model = impl_->open[FieldsOf(key)];
  if (!model) {
    model = std::make_shared<CostModel>();
    model->impl_->points = impl_->on_file[FieldsOf(key)];
    model->impl_->stale = true;
  }
  return model;
}

Status CostStore::Save() {
  std::lock_guard lock(impl_->mutex);
  if (impl_->path.empty()) return {};
  // Another run may have learned in the meantime: what it wrote is kept too.
  impl_->Load();
  for (const auto& [key, model] : impl_->open) {
    std::lock_guard model_lock(model->impl_->mutex);
    for (const CostPoint& point : model->impl_->points) AddPoint(impl_->on_file[key], point);
  }
  std::erase_if(impl_->on_file, [](const auto& entry) { return entry.second.empty(); });
  return WriteAtomically(impl_->path, Print(impl_->on_file));
}

const std::vector<std::string>& CostStore::warnings() const {
  return impl_->warnings;
}

}  // namespace imgmill
