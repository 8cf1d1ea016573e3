// .pth checkpoints: those of other projects in all formats, and made-up ones that ask for what a state dict
// never needs.
#include <sys/stat.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>

#include "networks/weights/state_dict.h"
#include "torch/checkpoint_builder.h"
#include "torch/torch_fixture.h"

using namespace imgmill;
using namespace pickled;

namespace {

StateDict Read(const std::string& path) {
  CAPTURE(path);
  Result<StateDict> read = ReadStateDict(path);
  if (!read) FAIL(read.error().message);
  return *std::move(read);
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Bytes(const WeightTensor& tensor) {
  const Result<Buffer> values = tensor.Values();
  if (!values) FAIL(values.error().message);
  return {reinterpret_cast<const char*>(values->data()), values->size()};
}

void CheckEqual(const StateDict& a, const StateDict& b) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    CAPTURE(name);
    const WeightTensor* other = b.Find(name);
    REQUIRE(other != nullptr);
    CHECK(tensor.type == other->type);
    CHECK(tensor.shape == other->shape);
    CHECK(Bytes(tensor) == Bytes(*other));
  }
}

std::string RefusalOf(const std::string& path) {
  const Result<StateDict> read = ReadStateDict(path);
  REQUIRE(!read.ok());
  CHECK(read.error().code == Code::kModelError);
  return read.error().message;
}

std::vector<float> Values(const WeightTensor& tensor) {
  const std::string bytes = Bytes(tensor);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

const std::vector<float> kSix = {0, 1, 2, 3, 4, 5};

}  // namespace

TEST_CASE("a .pth and a .safetensors of the same weights give equal tensors") {
  const auto folder = Asset("weights/realesrgan/");
  if (!folder) return;
  const StateDict pth = Read(*folder + "realesr-animevideov3-x4.pth");
  CHECK(pth.tensors.size() == 53);  // as Python's torch.load counts them
  CheckEqual(pth, Read(*folder + "realesr-animevideov3-x4.safetensors"));
}

TEST_CASE("the old and the new format of the same weights give equal tensors") {
  const auto folder = Asset("weights/");
  if (!folder) return;
  CheckEqual(Read(*folder + "akamaster+pytorch_resnet_cifar10/pretrained_models/resnet20-12fca82f.th"),
             Read(*folder + "zip-state-dicts/akamaster+pytorch_resnet_cifar10__resnet20-12fca82f.pt"));
  CheckEqual(Read(*folder + "nmhkahn+CARN-pytorch/checkpoint/carn_m.pth"),
             Read(*folder + "zip-state-dicts/nmhkahn+CARN-pytorch__carn_m.pt"));
  CheckEqual(Read(*folder + "ofsoundof+NTIRE2022_ESR/model_zoo/imdn_baseline.pth"),
             Read(*folder + "zip-state-dicts/ofsoundof+NTIRE2022_ESR__imdn_baseline.pt"));
}

TEST_CASE("checkpoints of other projects are read and unwrapped") {
  const auto folder = Asset("weights/");
  if (!folder) return;
  // Counted with Python's torch.load.
  CHECK(Read(*folder + "ofsoundof+NTIRE2022_ESR/model_zoo/rfdn_baseline.pth").tensors.size() == 128);
  CHECK(Read(*folder + "ofsoundof+NTIRE2022_ESR/model_zoo/team01_efdn.pth").tensors.size() == 142);
  CHECK(Read(*folder + "LAION-AI+aesthetic-predictor/sa_0_4_vit_l_14_linear.pth").tensors.size() == 2);
  const StateDict bsrn =
      Read(*folder + "ofsoundof+NTIRE2022_ESR/model_zoo/team18_bsrn.pth");  // {"params": ...}
  CHECK(bsrn.tensors.size() > 10);
  Read(*folder + "sunny2109+SAFMN/NTIRE2024_ESR/model_zoo/team23_safmnpp.pth");
  Read(*folder + "sunny2109+SAFMN/NTIRE2023_ESR/model_zoo/team15_SAFMN.pth");
}

TEST_CASE("TorchScript programs are refused with what to do instead") {
  const auto folder = Asset("weights/");
  if (!folder) return;
  CHECK(Has(RefusalOf(*folder + "torchscript/mobilenet_v2_1.0_224_coral_embed1280_f32.pt"), "TorchScript"));
  CHECK(Has(RefusalOf(*folder + "pytorch+ios-demo-app/ViT4MNIST/ViT4MNIST/vit4mnist.ptl"), "TorchScript"));
  CHECK(Has(RefusalOf(*folder + "pytorch+ios-demo-app/PyTorchDemo/PyTorchDemo/ImageClassification/model/"
                                "mobilenet_quantized.pt"),
            "TorchScript"));
}

TEST_CASE("views, transposed and shared storages come out dense") {
  const WeightFolder folder;
  const std::string object = Dict({{"whole", Tensor(Storage("0", 6), 0, {2, 3}, {3, 1})},
                                   {"transposed", Tensor(Storage("0", 6), 0, {3, 2}, {1, 3})},
                                   {"tail", Tensor(Storage("0", 6), 4, {2}, {1})},
                                   {"every second", Tensor(Storage("0", 6), 1, {2}, {2})},
                                   {"repeated", Tensor(Storage("0", 6), 3, {2, 2}, {0, 0})},
                                   {"scalar", Tensor(Storage("0", 6), 5, {}, {})},
                                   {"nothing", Tensor(Storage("0", 6), 0, {0}, {1})},
                                   {"epoch", Int(7)}});
  const StateDict read = Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
  CHECK(read.tensors.size() == 7);
  CHECK(Values(*read.Find("whole")) == kSix);
  CHECK(Values(*read.Find("transposed")) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(Values(*read.Find("tail")) == std::vector<float>{4, 5});
  CHECK(Values(*read.Find("every second")) == std::vector<float>{1, 3});
  CHECK(Values(*read.Find("repeated")) == std::vector<float>{3, 3, 3, 3});
  CHECK(Values(*read.Find("scalar")) == std::vector<float>{5});
  CHECK(read.Find("nothing")->count() == 0);
}

TEST_CASE("averaged weights come before raw ones, and module. is dropped") {
  const WeightFolder folder;
  const std::string raw = Dict({{"module.w", Tensor(Storage("0", 6), 0, {1}, {1})}});
  const std::string averaged = Dict({{"module.w", Tensor(Storage("0", 6), 1, {1}, {1})}});
  const std::string object = Dict({{"params", raw}, {"epoch", Int(3)}, {"params_ema", averaged}});
  const StateDict read = Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
  REQUIRE(read.Find("w") != nullptr);
  CHECK(Values(*read.Find("w")) == std::vector<float>{1});
}

TEST_CASE("a set whose name has the word ema comes before the same name without it") {
  const WeightFolder folder;
  const std::string raw = Dict({{"w", Tensor(Storage("0", 6), 2, {1}, {1})}});
  const std::string averaged = Dict({{"w", Tensor(Storage("0", 6), 4, {1}, {1})}});
  for (const auto& [name, ema] : {std::pair{"net_g", "net_g_ema"},
                                  {"model_state_dict", "ema_state_dict"},
                                  {"generator", "generator_ema"},
                                  {"params", "params-ema"},
                                  {"state_dict", "state_dict_ema"},
                                  {"model", "EMA"},
                                  {"ours", "ema.ours"}}) {
    CAPTURE(ema);
    for (const bool first : {false, true}) {
      const std::string object = first ? Dict({{ema, averaged}, {"disc", Int(1)}, {name, raw}})
                                       : Dict({{name, raw}, {"disc", Int(1)}, {ema, averaged}});
      const StateDict read = Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
      REQUIRE(read.Find("w") != nullptr);
      CHECK(Values(*read.Find("w")) == std::vector<float>{4});
      CHECK(read.taken == ema);
      CHECK(read.aside == std::vector<std::string>{name});
    }
  }
  // Averages of another network are not meant.
  const std::string other = Dict({{"net_g", averaged}, {"net_d_ema", raw}, {"schema", raw}});
  CHECK(Values(*Read(folder.Write("x.pth", LegacyCheckpoint(other, kSix))).Find("w")) ==
        std::vector<float>{4});
}

TEST_CASE("weights are found in whatever dicts hold just one set of them") {
  const WeightFolder folder;
  const auto tensor = [](int at) { return Tensor(Storage("0", 6), at, {1}, {1}); };
  const auto first_value = [&](const std::string& object) {
    const StateDict read = Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
    REQUIRE(read.Find("w") != nullptr);
    return Values(*read.Find("w"))[0];
  };
  const std::string weights = Dict({{"w", tensor(4)}}), others = Dict({{"w", tensor(2)}});
  CHECK(first_value(Dict({{"epoch", Int(3)}, {"whatever", Dict({{"inner", weights}})}})) == 4);
  // Optimizers keep averages under the names of the weights.
  CHECK(first_value(Dict({{"network", weights}, {"optimizer", others}, {"lr_schedulers", others}})) == 4);
  CHECK(first_value(Dict({{"params", others}, {"params-ema", weights}})) == 4);
  CHECK(first_value(Dict({{"ema", Dict({{"model", weights}})}, {"model", others}})) == 4);
  CHECK(first_value(Dict({{"_orig_mod.module.w", tensor(4)}})) == 4);
  // A count at the same level is not the weights.
  CHECK(first_value(Dict({{"iter", tensor(1)}, {"state_dict", weights}})) == 4);
  const std::string two = Dict({{"left", weights}, {"right", others}});
  CHECK(Has(RefusalOf(folder.Write("x.pth", LegacyCheckpoint(two, kSix))),
            "several sets of weights (left, right)"));
}

TEST_CASE("objects of other classes beside the weights are passed over, and nothing is run") {
  const WeightFolder folder;
  const std::string weights = Dict({{"w", Tensor(Storage("0", 6), 4, {1}, {1})}});
  const std::string namespaces = Global("argparse", "Namespace") + ")R" + Dict({{"lr", Int(1)}}) + "b";
  const std::vector<std::string> others = {
      namespaces,
      Global("argparse", "Namespace") + ")\x81" + Dict({{"lr", Int(1)}}) + "b",
      Global("my.project", "Config") + ")}\x92",                // NEWOBJ_EX
      Global("__builtin__", "set") + "](" + Int(1) + "e\x85R",  // protocol 2
      "\x8f(" + Int(1) + "\x90",                                // a set of protocol 4
      "(" + Int(1) + "\x91",                                    // a frozenset
      Global("collections", "Counter") + Dict({{"a", Int(1)}}) + "\x85R",
      Global("collections", "defaultdict") + Global("__builtin__", "list") + "\x85R(" + Text("a") + "]u",
      Global("torch", "float16"),
      Global("torch", "Size") + "(" + Int(1) + "t\x85R",
      Global("torch", "device") + Text("cuda") + "\x85R",
      Global("numpy.core.multiarray", "scalar") + Global("numpy", "dtype") + Text("f8") + "\x85R" +
          Text("x") + "\x86R",
      Text("pathlib") + Text("PosixPath") + "\x93" + Text("/") + "\x85R",
      Global("datetime", "datetime") + Text("x") + "\x85R",
      Global("my.project", "Kind") + Int(1) + "\x85R",
      Global("my.project", "function"),
      Global("os", "system") + Text("touch /tmp/imgmill_was_run") + "\x85R",
      "(ios\nsystem\n",                                // INST
      "(" + Global("my.project", "Old") + "o",         // OBJ
      std::string("\x82\x01"),                         // EXT1
      Global("my", "List") + ")\x81(" + Int(1) + "e",  // APPENDS to a list of their own
      Tuple({Text("module"), Global("my", "Net"), Text("net.py"), Text("class Net: ...")}) + "Q",
      Global("my", "Net") + ")\x81" + Dict({{"weight", Tensor(Storage("0", 6), 0, {6}, {1})}}) + "b"};
  for (const std::string& other : others) {
    CAPTURE(other);
    for (const std::string& object : {Dict({{"args", other}, {"state_dict", weights}}),
                                      Dict({{"args", Dict({{"inner", other}})}, {"whatever", weights}})}) {
      const StateDict read = Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
      REQUIRE(read.Find("w") != nullptr);
      CHECK(Values(*read.Find("w")) == std::vector<float>{4});
    }
  }
  CHECK(!std::ifstream("/tmp/imgmill_was_run").good());
}

TEST_CASE("a list of one state dict is read, and the states of random generators are no weights") {
  const WeightFolder folder;
  const std::string weights = Dict({{"w", Tensor(Storage("0", 6), 4, {1}, {1})}});
  const auto value = [&](const std::string& object) {
    return Values(*Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix))).Find("w"))[0];
  };
  CHECK(value("](" + weights + "e") == 4);
  CHECK(value(Tuple({weights})) == 4);
  const std::string pickle =
      "\x80\x02" +
      Dict({{"random", Dict({{"torch", Tensor(Storage("1", 4, "ByteStorage"), 0, {4}, {1})}})},
            {"whatever", weights}}) +
      ".";
  const std::string data(reinterpret_cast<const char*>(kSix.data()), 24);
  CHECK(Values(*Read(folder.Write("x.pth",
                                  Zip({{"a/data.pkl", pickle}, {"a/data/0", data}, {"a/data/1", "abcd"}})))
                    .Find("w"))[0] == 4);
}

TEST_CASE("PyTorch's averages count their updates, which is no weight") {
  const WeightFolder folder;
  const std::string object = Dict({{"n_averaged", Tensor(Storage("0", 6), 0, {}, {})},
                                   {"module.w", Tensor(Storage("0", 6), 4, {1}, {1})}});
  const StateDict read = Read(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
  CHECK(read.tensors.size() == 1);
  CHECK(read.Find("w") != nullptr);
}

TEST_CASE("an index of shards and a pipe are refused with what they are") {
  const WeightFolder folder;
  CHECK(Has(RefusalOf(folder.Write("model.safetensors.index.json", "{\"weight_map\": {}}")), "shards"));
  const std::string pipe = folder.Write("pipe", "");
  REQUIRE(std::remove(pipe.c_str()) == 0);
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(Has(RefusalOf(pipe), "not a regular file"));
}

TEST_CASE("float64 values that float32 cannot hold are refused by name") {
  StateDict weights;
  WeightTensor tensor{.type = ElementType::kFloat64, .shape = {1}, .held = Buffer(8)};
  const double large = 1e39;
  std::memcpy(tensor.held.data(), &large, 8);
  weights.tensors.emplace("w", std::move(tensor));
  const Status finite = CheckFinite(weights);
  REQUIRE(!finite);
  CHECK(Has(finite.error().message, "its tensor w has float64 values"));
}

TEST_CASE("a tensor that an unknown function makes is refused by its name") {
  const WeightFolder folder;
  const auto refusal = [&](const std::string& value) {
    return RefusalOf(folder.Write("x.pth", LegacyCheckpoint(Dict({{"conv.weight", value}}), kSix)));
  };
  const std::string quantized = Global("torch._utils", "_rebuild_qtensor") + Tuple({Storage("0", 6)}) + "R";
  const std::string with = Dict({{"w", Tensor(Storage("0", 6), 4, {1}, {1})}, {"conv.weight", quantized}});
  CHECK(Has(RefusalOf(folder.Write("x.pth", LegacyCheckpoint(with, kSix))),
            "its tensor conv.weight is made by torch._utils._rebuild_qtensor"));
  CHECK(Has(refusal(quantized), "conv.weight is made by torch._utils._rebuild_qtensor"));
}

TEST_CASE("a tensor whose sign PyTorch keeps aside as a bit is refused") {
  const WeightFolder folder;
  const auto with = [](const std::string& metadata) {
    const std::string tensor = Global("torch._utils", "_rebuild_tensor_v2") +
                               Tuple({Storage("0", 6), Int(0), Ints({6}), Ints({1}), "\x89",
                                      Global("collections", "OrderedDict") + ")R", metadata}) +
                               "R";
    return LegacyCheckpoint(Dict({{"w", tensor}}), kSix);
  };
  CHECK(Has(RefusalOf(folder.Write("x.pth", with(Dict({{"neg", "\x88"}})))), "tensor.resolve_neg()"));
  CHECK(Values(*Read(folder.Write("y.pth", with(Dict({{"neg", "\x89"}})))).Find("w")) == kSix);
  CHECK(Values(*Read(folder.Write("z.pth", with("N"))).Find("w")) == kSix);
}

TEST_CASE("a pickle that has nothing but objects of other classes is refused by their names") {
  const WeightFolder folder;
  const auto refusal = [&](const std::string& object) {
    return RefusalOf(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
  };
  CHECK(Has(refusal(Global("os", "system") + Tuple({Text("touch /tmp/pwned")}) + "R"), "os.system"));
  CHECK(Has(refusal(Global("builtins", "eval") + Tuple({Text("1")}) + "R"), "builtins.eval"));
  CHECK(Has(refusal(Text("posix") + Text("system") + "\x93" + Tuple({Text("id")}) + "R"), "posix.system"));
  CHECK(Has(refusal(Global("torch", "load") + Tuple({Text("x")}) + "R"), "torch.load"));
  CHECK(Has(refusal(Global("numpy.core.multiarray", "scalar")), "numpy.core.multiarray.scalar"));
  CHECK(Has(refusal(Global("x\x1b[31m", "y")), "x\\x1b[31m.y"));  // no escape codes reach the terminal
  CHECK(Has(refusal("(ios\nsystem\n"), "os.system"));             // INST, which also calls
  CHECK(Has(refusal("Psome id\n"), "0x50"));
  CHECK(Has(refusal(Tuple({Text("module"), Text("x"), Text("y"), Text("z"), Text("w")}) + "Q"),
            "whole pickled model"));
}

TEST_CASE("tensors that do not fit their storages are refused") {
  const WeightFolder folder;
  const auto refusal = [&](const std::string& tensor) {
    return RefusalOf(folder.Write("x.pth", LegacyCheckpoint(Dict({{"w", tensor}}), kSix)));
  };
  constexpr int64_t kHuge = INT64_MAX;
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {7}, {1})), "beyond its storage"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 6, {1}, {1})), "beyond its storage"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {2}, {6})), "beyond its storage"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), kHuge, {2}, {1})), "too large"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {3}, {kHuge})), "too large"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {kHuge, kHuge}, {1, 1})), "too large"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {1 << 20, 1 << 10}, {0, 0})), "far larger than the file"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), -1, {1}, {1})), "damaged"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {-1}, {1})), "do not match"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {2}, {-1})), "do not match"));
  CHECK(Has(refusal(Tensor(Storage("0", 6), 0, {2, 3}, {1})), "do not match"));
  CHECK(Has(refusal(Tensor(Storage("1", 6), 0, {1}, {1})), "storage"));
  CHECK(Has(refusal(Tensor(Storage("0", 6, "DoubleStorage"), 0, {1}, {1})), "ends early"));
  CHECK(Has(refusal(Tensor(Storage("0", 6, "QUInt8Storage"), 0, {1}, {1})), "torch.QUInt8Storage"));
}

TEST_CASE("pickles that eat themselves end in an error, soon") {
  const WeightFolder folder;
  const auto refusal = [&](const std::string& object) {
    return RefusalOf(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
  };
  const std::clock_t begin = std::clock();         // of the processor: others' work does not count
  refusal(std::string("]q\x01") + "h\x01" + "a");  // a list that holds itself
  refusal(std::string("}q\x01") + Text("state_dict") + "h\x01" + "s");  // a state_dict in itself
  refusal(std::string(100'000, '('));                                   // marks, and nothing else
  refusal(std::string(100'000, ']') + std::string(99'999, 'a'));        // lists in lists, too deep to recurse
  refusal("r\xff\xff\xff\xff");                                         // a memo slot far away
  refusal("]r\xff\xff\xff\xff");
  refusal("h\x07");
  refusal("X\xff\xff\xff\xffx");  // a string of 4 GiB
  refusal("\x8b\xff\xff\xff\x7f");
  for (const char* underflow :
       {"a", "e", "s", "u", "t", "R", "b", "Q", "0", "\x85", "\x93", "\x81", "q\x01", "("}) {
    refusal(underflow);
  }
  refusal(std::string("NNR"));
  refusal(std::string("Nb"));
  refusal(Global("collections", "OrderedDict") + "](]e\x85R");  // pairs that are no pairs
  refusal(Dict({{"w", Int(1)}}));
  refusal("N");
  std::string itself = "}q\x01(";  // a dict that holds itself under 20,000 names
  for (int i = 0; i < 20'000; ++i) itself += Text(std::to_string(i)) + "h\x01";
  refusal(itself + "u");
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 10);
}

TEST_CASE("a few bytes of pickle do not grow to many bytes of objects") {
  const WeightFolder folder;
  const auto refusal = [&](const std::string& object) {
    return RefusalOf(folder.Write("x.pth", LegacyCheckpoint(object, kSix)));
  };
  const auto times = [](size_t count, const std::string& text) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += text;
    return all;
  };
  // 1,000 OrderedDicts of the same 1,000 pairs: 16 MB out of 10 KB.
  const std::string pairs = "](" + times(1000, "NN\x86") + "e\x85q\x01" + "0";
  CHECK(Has(refusal(pairs + Global("collections", "OrderedDict") + "q\x02" + "0" + "](" +
                    times(1000, "h\x02h\x01R") + "e"),
            "same pairs"));
  // Shapes and keys are copied into each tensor and storage that names them.
  const std::string sizes = "(" + times(65, "K\x01") + "t";
  const std::string tensor = Global("torch._utils", "_rebuild_tensor_v2") + "(" + Storage("0", 6) + "K" +
                             std::string(1, '\0') + sizes + sizes + "tR";
  CHECK(Has(refusal(Dict({{"w", tensor}})), "do not match"));
  CHECK(
      Has(refusal(Dict({{"w", Tensor(Storage(std::string(256, '0'), 6), 0, {6}, {1})}})), "kind of storage"));
  // A byte each, and some 200 in memory.
  CHECK(Has(refusal("(" + std::string((size_t{1} << 20) + 1, 'N') + "t"), "objects"));
  // A byte each, and eight on the stack.
  CHECK(Has(refusal("(N" + std::string((size_t{1} << 22) + 1, '2') + "t"), "references"));
  CHECK(Has(refusal(std::string((size_t{1} << 20) + 1, '(')), "objects"));
}

TEST_CASE("ZIP archives that torch.save would not write are refused") {
  const WeightFolder folder;
  const std::string pickle = "\x80\x02" + Dict({{"w", Tensor(Storage("0", 6), 0, {6}, {1})}}) + ".";
  const std::string data(reinterpret_cast<const char*>(kSix.data()), 24);
  CHECK(
      Values(*Read(folder.Write("good.pth",
                                Zip({{"a/data.pkl", pickle}, {"a/byteorder", "little"}, {"a/data/0", data}})))
                  .Find("w")) == kSix);
  const auto refusal = [&](const std::vector<ZipMember>& members) {
    return RefusalOf(folder.Write("x.pth", Zip(members)));
  };
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"a/data/0", data, 8}}), "compressed"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"a/data/0", data, 0, 1}}), "checksum"));
  CHECK(Has(refusal({{"a/data.pkl", pickle, 0, 1}, {"a/data/0", data}}), "checksum"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}}), "lacks a/data/0"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"a/data/0", data}, {"a/data/0", data}}), "twice"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"b/data.pkl", pickle}}), "several"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"a/byteorder", "big"}, {"a/data/0", data}}), "big-endian"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"a/constants.pkl", "x"}}), "TorchScript"));
  CHECK(Has(refusal({{"a/readme.txt", "hello"}}), "no data.pkl"));
  const std::string other = folder.Write("other.pt", Zip({{"a/readme.txt", "hello"}}));
  CHECK(!*IsTorchScript(other));
  for (const char* entry : {"a/models/model.json", "a/serialized_exported_program.json"}) {
    const std::string exported = folder.Write("exported.pt2", Zip({{entry, "{}"}, {"a/version", "1"}}));
    CHECK(!*IsTorchScript(exported));
    CHECK(Has(RefusalOf(exported), "aoti_compile_and_package"));
  }
  // The directory gives the same bytes a hundred names: each would be read and made a tensor of.
  std::string overlapping = Zip({{"a/data.pkl", pickle}, {"a/data/0", std::string(5000, 'x')}});
  const size_t end = overlapping.rfind("PK\x05\x06");
  const size_t record = overlapping.rfind("PK\x01\x02", end);
  std::string records;
  for (int i = 10; i < 100; ++i) {
    std::string again = overlapping.substr(record, end - record);
    records += again.replace(again.size() - 2, 2, std::to_string(i));
  }
  const size_t directory = overlapping.find("PK\x01\x02");
  std::string tail = overlapping.substr(end);
  tail.replace(8, 4, LittleEndian(92, 2) + LittleEndian(92, 2));
  tail.replace(12, 4, LittleEndian(end + records.size() - directory, 4));
  overlapping = overlapping.substr(0, end) + records + tail;
  CHECK(Has(RefusalOf(folder.Write("x.pth", overlapping)), "overlap"));
  CHECK(Has(refusal({{"a/data.pkl", pickle}, {"a/data/0", data.substr(0, 20)}}), "beyond its storage"));
}
