"""Writes `pipeline/graph/op_defs.txt` from TensorFlow's own registry.

    python tests/graph/generate_op_defs.py

A developer's tool, run when an op is wanted that the table lacks: the product itself never imports
TensorFlow. One line per op: its name, a tab, its OpDef as protobuf text without descriptions.
"""

from __future__ import annotations

from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "pipeline" / "graph" / "op_defs.txt"

OPS = """
Const Placeholder PlaceholderWithDefault PlaceholderV2 Identity IdentityN NoOp Assert Print
StopGradient PreventGradient CheckNumerics Snapshot EnsureShape Shape ShapeN Size Rank Cast Bitcast

Neg Abs Sign Floor Ceil Rint Round Exp Expm1 Log Log1p Sqrt Rsqrt Square Reciprocal Inv Tanh Sigmoid
Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Erfc Erfinv Ndtri Lgamma Digamma
IsFinite IsInf IsNan LogicalNot Invert PopulationCount Real Imag Conj Angle ComplexAbs Complex
BesselI0 BesselI0e BesselI1 BesselI1e BesselJ0 BesselJ1 BesselK0 BesselK1 BesselY0 BesselY1
Add AddV2 Sub Mul MulNoNan RealDiv Div DivNoNan Xdivy Xlogy Xlog1py FloorDiv FloorMod TruncateDiv
TruncateMod Mod Pow Maximum Minimum SquaredDifference AddN AccumulateNV2 Atan2 NextAfter Igamma
Igammac Betainc Polygamma Zeta ClipByValue Cross
Equal NotEqual Less LessEqual Greater GreaterEqual ApproximateEqual LogicalAnd LogicalOr
BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift Select SelectV2

Relu Relu6 Elu Selu LeakyRelu Softplus Softsign Softmax LogSoftmax BiasAdd BiasAddV1
SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits L2Loss InTopK InTopKV2
LRN FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
BatchNormWithGlobalNormalization MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum
Conv2D Conv3D DepthwiseConv2dNative Conv2DBackpropInput Conv3DBackpropInputV2 Dilation2D
MaxPool MaxPoolV2 MaxPool3D MaxPoolWithArgmax AvgPool AvgPool3D FractionalMaxPool
SpaceToDepth DepthToSpace SpaceToBatchND BatchToSpaceND SpaceToBatch BatchToSpace
ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea CropAndResize
ExtractImagePatches AdjustContrastv2 RGBToHSV HSVToRGB NonMaxSuppressionV3 NonMaxSuppressionV5

Reshape Squeeze ExpandDims BroadcastTo BroadcastArgs Transpose ConjugateTranspose Concat ConcatV2
ConcatOffset Pack Unpack Tile Split SplitV Slice StridedSlice TensorStridedSliceUpdate Pad PadV2
MirrorPad Reverse ReverseV2 ReverseSequence Range LinSpace Fill ZerosLike OnesLike Roll
InvertPermutation Sum Mean Max Min Prod All Any ArgMax ArgMin Cumsum Cumprod CumulativeLogsumexp
EuclideanNorm LogMatrixDeterminant MatrixDeterminant
Gather GatherV2 GatherNd ScatterNd TensorScatterUpdate TensorScatterAdd TensorScatterSub
TensorScatterMax TensorScatterMin TopK TopKV2 Unique UniqueV2 UniqueWithCounts Where OneHot
SegmentSum SegmentMean SegmentMax UnsortedSegmentSum UnsortedSegmentMax UnsortedSegmentMin
UnsortedSegmentProd Bincount DenseBincount Bucketize LowerBound UpperBound
DynamicStitch ParallelDynamicStitch DynamicPartition
MatrixDiag MatrixDiagV3 MatrixDiagPart MatrixDiagPartV3 MatrixSetDiag MatrixBandPart Diag DiagPart
Cholesky MatrixTriangularSolve MatrixSolve MatrixInverse Lu Qr Svd SelfAdjointEigV2 Eig
FFT FFT2D FFT3D IFFT IFFT2D IFFT3D RFFT RFFT2D RFFT3D IRFFT IRFFT2D IRFFT3D

VariableV2 Variable Assign AssignAdd AssignSub IsVariableInitialized TemporaryVariable
VarHandleOp ReadVariableOp AssignVariableOp AssignAddVariableOp AssignSubVariableOp
VarIsInitializedOp ResourceGather DestroyResourceOp ScatterUpdate ScatterAdd ResourceScatterAdd
SaveV2 RestoreV2 Save Restore SaveSlices RestoreSlice MergeV2Checkpoints ShardedFilename
StringJoin
ApplyGradientDescent ApplyMomentum ApplyAdam ApplyAdagrad ApplyRMSProp ApplyFtrl
ResourceApplyGradientDescent ResourceApplyMomentum ResourceApplyKerasMomentum ResourceApplyAdam

RandomUniform RandomStandardNormal TruncatedNormal RandomUniformInt RandomShuffle Multinomial
ParameterizedTruncatedNormal StatelessRandomUniform StatelessRandomNormal StatelessTruncatedNormal
RandomGamma

Switch Merge Enter Exit NextIteration LoopCond RefSwitch RefIdentity RefEnter ControlTrigger
If StatelessIf Case StatelessCase While StatelessWhile For PartitionedCall
StatefulPartitionedCall SymbolicGradient RemoteCall FakeParam
TensorArrayV3 TensorArrayReadV3 TensorArrayWriteV3 TensorArrayGatherV3 TensorArrayScatterV3
TensorArraySizeV3 TensorArrayConcatV3 TensorArraySplitV3
TensorListReserve TensorListGetItem TensorListSetItem TensorListStack TensorListFromTensor
TensorListLength TensorListElementShape TensorListPushBack TensorListPopBack EmptyTensorList
TensorListGather
BroadcastGradientArgs ReluGrad Relu6Grad SigmoidGrad TanhGrad BiasAddGrad MaxPoolGrad AvgPoolGrad
Conv2DBackpropFilter FusedBatchNormGrad FusedBatchNormGradV3 RsqrtGrad SqrtGrad SoftplusGrad
SoftsignGrad EluGrad SeluGrad LeakyReluGrad StridedSliceGrad

FakeQuantWithMinMaxVars FakeQuantWithMinMaxArgs QuantizeV2 Dequantize
DecodeRaw DecodePng DecodeJpeg DecodeBmp ParseExample ParseSingleExample ParseExampleV2
StringToNumber AsString StringSplit RegexReplace Substr
ScalarSummary HistogramSummary ImageSummary MergeSummary
HashTableV2 LookupTableFindV2 LookupTableImportV2 LookupTableInsertV2 LookupTableSizeV2
QueueDequeueManyV2 QueueEnqueueV2 FIFOQueueV2 RandomShuffleQueueV2 QueueCloseV2 QueueSizeV2
IteratorV2 IteratorGetNext MakeIterator OneShotIterator TensorSliceDataset BatchDatasetV2
ReaderReadV2 TextLineReaderV2 TFRecordReaderV2 ReadFile WriteFile
BlockLSTM LSTMBlockCell GRUBlockCell CTCGreedyDecoder

ApplyAdadelta ApplyAdagradV2 ApplyCenteredRMSProp ApplyAdaMax ApplyProximalGradientDescent
ApplyAddSign ApplyPowerSign ResourceApplyAdadelta ResourceApplyAdagrad ResourceApplyAdagradV2
ResourceApplyAdamWithAmsgrad ResourceApplyAdaMax ResourceApplyCenteredRMSProp ResourceApplyRMSProp
ResourceApplyFtrl ResourceApplyProximalGradientDescent ResourceApplyAddSign ResourceApplyPowerSign
InvGrad ReciprocalGrad LRNGrad AvgPool3DGrad MaxPool3DGrad MaxPoolGradV2 Conv3DBackpropFilterV2
DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput FusedBatchNormGradV2
BatchNormWithGlobalNormalizationGrad ResizeBilinearGrad ResizeNearestNeighborGrad
ResizeBicubicGrad MirrorPadGrad IgammaGradA RandomGammaGrad TileGrad Dilation2DBackpropFilter
Dilation2DBackpropInput ScatterSub ScatterMul ScatterDiv ScatterMin ScatterMax ScatterNdUpdate
ScatterNdAdd ScatterNdSub ResourceScatterUpdate ResourceScatterSub ResourceScatterMul
ResourceScatterDiv ResourceScatterMin ResourceScatterMax ResourceScatterNdUpdate
ResourceScatterNdAdd ResourceScatterNdSub ResourceGatherNd ResourceStridedSliceAssign
StridedSliceAssign SparseApplyAdagrad SparseApplyMomentum ResourceSparseApplyAdagrad
ResourceSparseApplyMomentum ResourceSparseApplyKerasMomentum InplaceUpdate InplaceAdd InplaceSub
Empty DeepCopy Copy DebugGradientIdentity GuaranteeConst RefNextIteration RefExit RefMerge
StatelessRandomUniformV2 StatelessRandomUniformInt StatelessRandomUniformIntV2
StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 StatelessRandomNormalV2
StatelessTruncatedNormalV2 StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg
StatelessRandomGetAlg StatelessMultinomial RandomPoissonV2 RandomPoisson MatrixDiagV2
MatrixDiagPartV2 MatrixSetDiagV2 MatrixSetDiagV3 BatchMatrixDiag BatchMatrixDiagPart
BatchMatrixSetDiag BatchMatrixBandPart BatchCholesky BatchMatrixInverse BatchMatrixDeterminant
BatchMatrixSolve BatchMatrixTriangularSolve BatchSelfAdjointEigV2 BatchSvd MatrixExponential
MatrixSquareRoot MatrixSolveLs TridiagonalSolve TridiagonalMatMul ListDiff HistogramFixedWidth
SparseToDense SparseTensorDenseMatMul SparseMatMul SegmentProd SegmentMin SparseSegmentSum
SparseSegmentMean SparseSegmentSqrtN TensorListConcat TensorListConcatV2 TensorListSplit
TensorListResize TensorListScatter TensorListScatterV2 TensorListScatterIntoExistingList
TensorListConcatLists TensorListPushBackBatch StackV2 StackPushV2 StackPopV2 TensorArrayGradV3
TensorArrayCloseV3 QuantizeAndDequantize QuantizeAndDequantizeV2 QuantizeAndDequantizeV3
QuantizeAndDequantizeV4 FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxArgsGradient
FakeQuantWithMinMaxVarsGradient AdjustHue AdjustSaturation AdjustContrast ScaleAndTranslate
ImageProjectiveTransformV2 ImageProjectiveTransformV3 ExtractVolumePatches NonMaxSuppression
NonMaxSuppressionV2 NonMaxSuppressionV4 CombinedNonMaxSuppression AudioSpectrogram Mfcc CTCLoss
BlockLSTMV2 FFTND IFFTND RFFTND IRFFTND BatchFFT BatchIFFT BatchFFT2D BatchIFFT2D DataFormatDimMap
DataFormatVecPermute UnravelIndex UniqueWithCountsV2 ParallelConcat VariableShape CountUpTo
RaggedRange Expint Dawsn Spence FresnelCos FresnelSin BesselK0e BesselK1e ReduceJoin StringLower
StringUpper StringStrip StringFormat PrintV2 Timestamp SparseReshape SparseReorder
SparseFillEmptyRows SparseDenseCwiseMul SparseSoftmax StringToHashBucketFast HashTable
LookupTableFind LookupTableSize InitializeTableV2 InitializeTable MutableHashTableV2
XlaVariadicReduceV2 TensorSummary TensorSummaryV2 AudioSummary MaxPoolGradGrad
MaxPoolGradWithArgmax
"""


def main() -> None:
    """Look each name up in the registry and write the table, sorted by name."""
    from google.protobuf import text_format
    from tensorflow.python.framework import op_def_registry

    lines, missing = [], []
    for name in sorted(set(OPS.split())):
        definition = op_def_registry.get(name)
        if definition is None:
            missing.append(name)
            continue
        lines.append(f"{name}\t{text_format.MessageToString(definition, as_one_line=True)}\n")
    if missing:
        raise SystemExit(f"TensorFlow has no op called {', '.join(missing)}")
    TABLE.write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
