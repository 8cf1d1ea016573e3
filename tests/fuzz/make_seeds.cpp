// Writes what the fuzzing programs begin with where no picture of ours will do: weight files by the tests'
// builders, TIFF directories and ICC profiles byte by byte, catalog and undo files by the code that writes
// them, YAML, reports. Usage: fuzz_seeds FOLDER, which gets a folder for each program.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <vector>

#include "dataset/journal_file.h"
#include "fuzz/input_file.h"
#include "image/profile_builder.h"
#include "imgmill/catalog/vector_file.h"
#include "torch/checkpoint_builder.h"

using namespace imgmill;

namespace {

std::filesystem::path root;

void Write(const std::string& program, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories(root / program);
  std::ofstream file(root / program / name, std::ios::binary);
  file << bytes;
  fuzz::Require(file.flush().good());
}

/// A TIFF of one strip of grey pixels with orientation 6; the strip may be claimed, not there.
std::string Tiff(bool big, bool big_endian, uint64_t width, uint64_t height, bool with_pixels) {
  const int word = big ? 8 : 4;
  const auto n = [&](uint64_t value, int bytes) {
    const std::string little = LittleEndian(value, bytes);
    return big_endian ? std::string(little.rbegin(), little.rend()) : little;
  };
  const std::vector<std::pair<uint64_t, uint64_t>> tags = {
      {256, width}, {257, height}, {258, 8}, {259, 1},      {262, 1},
      {273, 0},     {274, 6},      {277, 1}, {278, height}, {279, width * height}};
  const uint64_t head = big ? 16 : 8;
  const uint64_t strip = head + (big ? 8 : 2) + tags.size() * (4 + 2 * static_cast<uint64_t>(word)) +
                         static_cast<uint64_t>(word);
  std::string file = big_endian ? "MM" : "II";
  file += n(big ? 43 : 42, 2);
  if (big) file += n(8, 2) + n(0, 2);
  file += n(head, word) + n(tags.size(), big ? 8 : 2);
  for (const auto& [tag, value] : tags) {
    const bool is_long = tag != 258 && tag != 259 && tag != 262 && tag != 274 && tag != 277;
    std::string field = n(tag == 273 ? strip : value, is_long ? 4 : 2);
    field.resize(static_cast<size_t>(word), '\0');
    file += n(tag, 2) + n(is_long ? 4 : 3, 2) + n(1, word) + field;
  }
  file += n(0, word);
  if (with_pixels) file.append(width * height, '\x7F');
  return file;
}

void WriteTiffs() {
  for (const bool big : {false, true}) {
    for (const bool big_endian : {false, true}) {
      const std::string kind = std::string(big ? "big" : "classic") + (big_endian ? "-mm" : "-ii");
      for (const char* program :
           {"tiff_directory", "exif", "block_rows", "tiff", "tiff_facts", "image", "upright_metadata"}) {
        Write(program, kind + ".tif", Tiff(big, big_endian, 16, 9, true));
      }
      Write("tiff_facts", kind + "-claimed.tif", Tiff(big, big_endian, 3000, 3000, false));
      Write("image", kind + "-claimed.tif", Tiff(big, big_endian, 500, 500, false));
    }
  }
}

void WriteProfiles() {
  using namespace profile_builder;
  const std::string formula = Formula(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045);
  Write("icc_profile", "formula.icc", Profile(formula));
  std::vector<uint64_t> points;
  for (int i = 0; i < 32; ++i)
    points.push_back(static_cast<uint64_t>(std::lround(std::pow(i / 31.0, 2.2) * 65535)));
  Write("icc_profile", "points.icc", Profile(Points(points)));
  Write("icc_profile", "gamma.icc", Profile(Points({0x0233})));
  Write("icc_profile", "grey.icc", Profile(formula).replace(16, 4, "GRAY"));
}

void WriteWeights() {
  using namespace pickled;
  const std::string header =
      R"({"__metadata__":{"made":"by\u0020hand"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"F16","shape":[4],"data_offsets":[16,24]}})";
  const std::string safetensors = LittleEndian(header.size(), 8) + header + std::string(24, '\1');
  Write("safetensors", "two.safetensors", safetensors);
  Write("safetensors", "header.json", header);
  Write("checkpoint", "two.safetensors", safetensors);

  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  const std::string state = Dict({{"module.a", Tensor(Storage("0", 6), 0, {2, 3}, {3, 1})},
                                  {"module.b", Tensor(Storage("0", 6), 1, {3, 1}, {1, 3})}});
  const std::string wrapped = Dict({{"epoch", Int(7)}, {"params_ema", state}});
  Write("checkpoint", "legacy.pth", LegacyCheckpoint(wrapped, values));
  Write("pickle", "state.pkl", "\x80\x02" + state + ".");
  Write("pickle", "wrapped.pkl", "\x80\x02" + wrapped + ".");
  Write("pickle", "ordered.pkl",
        "\x80\x02" + Global("collections", "OrderedDict") + Tuple({"](]" + Text("k") + "a" + "\x88" + "ae"}) +
            "R.");
  const std::string program =
      "\x80\x02" + Global("__torch__.Net", "Net") + ")\x81" +
      Dict({{"visual", Global("__torch__.Tower", "Tower") + ")\x81" + state + "b"},
            {"token_embedding", Tensor(Storage("0", 6), 0, {6}, {1})},
            {"logit_scale", "N"},
            {"sizes", Global("torch.jit._pickle", "build_intlist") + "(](" + Int(1) + "etR"}}) +
      "b.";
  Write("pickle", "program.pkl", program);
  std::string storage(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  const std::string zip = Zip({{"m/data.pkl", "\x80\x02" + state + "."},
                               {"m/byteorder", "little"},
                               {"m/data/0", storage},
                               {"m/version", "3\n"}});
  Write("zip_archive", "state.zip", zip);
  Write("checkpoint", "state.zip", zip);
  Write("checkpoint", "program.zip",
        Zip({{"m/data.pkl", program}, {"m/constants.pkl", "\x80\x02)."}, {"m/data/0", storage}}));
}

void WriteCatalogFiles() {
  const std::filesystem::path catalog = root / "catalog";
  for (const int dimension : {1, 3}) {
    {
      Result<std::unique_ptr<VectorFile>> file = VectorFile::Open(catalog.string(), "k", dimension);
      fuzz::Require(file.ok());
      const std::vector<float> vector(static_cast<size_t>(dimension), 0.5f);
      for (int row = 0; row < 3; ++row) fuzz::Require((*file)->Append(vector).ok());
    }
    std::filesystem::create_directories(root / "vector_file");
    for (const auto& entry : std::filesystem::directory_iterator(catalog / "vectors")) {
      std::filesystem::rename(entry.path(), root / "vector_file" / (std::to_string(dimension) + ".vec"));
    }
  }
  std::filesystem::remove_all(catalog);

  std::filesystem::create_directories(root / "journal");
  Result<JournalFile> journal =
      JournalFile::Create((root / "journal" / "undo.tsv").string(), "dedup a b", "out");
  fuzz::Require(journal.ok());
  FileAction action;
  for (const FileAction::Kind kind :
       {FileAction::Kind::kMove, FileAction::Kind::kDelete, FileAction::Kind::kCopy}) {
    action.kind = kind;
    action.path = "a/one\ttwo.jpg";
    action.target = "b/one.jpg";
    action.keeper = "a/kept.jpg";
    fuzz::Require(journal->AddPlan(action).ok());
  }
  ActionStart start;
  start.target = "b/one-2.jpg";
  fuzz::Require(journal->Seal().ok() && journal->AddStart(0, start).ok() && journal->AddDone(0).ok());
  fuzz::Require(journal->AddFailed(1, Error{Stage::kAct, Code::kConflict, "changed"}).ok() &&
                journal->Sync().ok());
}

void WriteTexts() {
  Write("image_count", "mpf.bin",
        std::string("MPF\0II*\0\x08\0\0\0\1\0\x02\xb0\7\0\x10\0\0\0\x1a\0\0\0\0\0\0\0", 30) +
            std::string(16, '\0'));
  Write(
      "upright_metadata", "packet.xmp",
      "<r xmlns:x='http://ns.adobe.com/xap/1.0/' xmlns:t=\"http://ns.adobe.com/tiff/1.0/\" t:Orientation='6'>"
      "<x:Thumbnails><a/></x:Thumbnails></r>");
  Write("upright_metadata", "resources.bin",
        std::string("Photoshop 3.0\0", 14) + std::string("8BIM\4\x0c\0\0\0\0\0\2ab", 14) +
            std::string("8BIM\4\4\0\0\0\0\0\1a\0", 14));
  Write("raw_profile", "exif.txt", "\nexif\n      14\n4578696600004949\n2a0008000000\n");
  Write("yaml_options", "shared.yaml",
        "memory: 512MiB\nthreads: 2\ninclude: ['*.jpg', \"a/**\"]\nrecursive: true\nreport: r.json\nsteps: "
        "{a: &x [1], b: *x}\n");
  Write("pipeline", "steps.yaml",
        "input: [a, b]\noutput: out\ninclude: '*.png'\nsteps:\n  - dedup: {method: phash, max-distance: 10}\n"
        "  - filter:\n      keep: [short_side>=64, blockiness<94]\n  - tile: {size: 128, best: 2, by: "
        "sharpness}\n"
        "  - upscale:\n      method: lanczos3\n      scale: 2\n  - embed:\n");
  Write("clip_vocabulary", "four", "#version\na b\nab c</w>\nt h\nth e</w>\n");
  Write("clip_vocabulary", "text", "1&eacute; \xC3\x89\xEF\xAC\x81 it's 'Re <start_of_text> 42\nx y\n");
  Write(
      "decisions", "decisions.json",
      R"({"schema":"imgmill-decisions/1","folder":"/data","groups":[{"keep":{"path":"a.jpg","below":"a.jpg",)"
      R"("size":"12","mtime_ns":"5","ctime_ns":"0","inode":"0","digest":"00112233445566778899aabbccddeeff"},)"
      R"("duplicates":[{"path":"b\\x00.jpg","below":"in/b.jpg","size":"12","mtime_ns":"-5","ctime_ns":"7",)"
      R"("inode":"9","digest":"00112233445566778899aabbccddeeff"}]}]})");
  Write(
      "stored_report", "report.json",
      R"({"schema":"imgmill/1","command":"dedup","version":"0.1.0","listed":3,"done":2,"seconds":1.5,)"
      R"("failed":[{"path":"a.jpg","stage":"decode","code":"truncated","message":"ends early"}],)"
      R"("steps":[{"step":"dedup","listed":3,"kept":2,"dropped":1}],"memory":{"budget":1000000,"resident":9,)"
      R"("host_pool":{"cap":5,"charged":3},"rungs":{"clear":1},"devices":[{"name":"cpu:0","budget":7}],)"
      R"("warnings":["w"]},"history":{"batches":[{"work":"x","n":1,"width":2,"height":3,"predicted":10,)"
      R"("predicted_pooled":5,"actual":9,"rung":"none","start_ms":1,"ms":2}],"batches_total":1,)"
      R"("summary":{"failed":0,"rungs":{"clear":{"batches":1}}},"moments":[{"ms":0,"resident":1,"budget":2},)"
      R"({"ms":5,"resident":2,"budget":2}],"clears":[{"start_ms":1,"ms":1,"bytes":7}],)"
      R"("peaks":{"resident":{"bytes":5,"ms":1}}}})");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  root = arguments[1];
  WriteTiffs();
  WriteProfiles();
  WriteWeights();
  WriteCatalogFiles();
  WriteTexts();
  return 0;
}
